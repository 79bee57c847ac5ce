//! The websockets: one gateway with its three routes, all of one function.

use super::function::target;
use super::intrinsic::Scope;
use super::resource::Resource;
use super::{Function, TemplateError, Websocket};

/// What API Gateway reports of a websocket (API Gateway: WebSocket routes).
const KEYS: [&str; 3] = ["$connect", "$default", "$disconnect"];

/// The logical id of the gateway of websockets, if there is one.
pub(super) fn api<'a>(
    resources: &[Resource<'a>],
    scope: &Scope<'_>,
) -> Result<Option<&'a str>, TemplateError> {
    let known = ["Name", "ProtocolType", "RouteSelectionExpression"];
    let mut found = None;
    for resource in of_kind(resources, "AWS::ApiGatewayV2::Api") {
        let properties = resource.properties(scope, &known)?;
        if properties.text("ProtocolType")? == "WEBSOCKET" && found.replace(resource.id).is_some() {
            return Err(TemplateError::invalid(
                resource.id,
                "only one gateway of websockets is known here",
            ));
        }
    }
    Ok(found)
}

pub(super) fn read(
    resources: &[Resource<'_>],
    functions: &[Function],
    scope: &Scope<'_>,
) -> Result<Option<Websocket>, TemplateError> {
    let Some(api) = api(resources, scope)? else {
        return Ok(None);
    };
    let mut keys = Vec::new();
    let mut ids = Vec::new();
    for resource in of_kind(resources, "AWS::ApiGatewayV2::Route") {
        let known = [
            "ApiId",
            "RouteKey",
            "RouteResponseSelectionExpression",
            "Target",
        ];
        let properties = resource.properties(scope, &known)?;
        if properties.text("ApiId")? != api {
            continue;
        }
        let key = properties.text("RouteKey")?;
        // Without it nothing that the function returns for a frame reaches the client.
        if key == "$default" && properties.get("RouteResponseSelectionExpression").is_none() {
            let message = "it answers, so it needs RouteResponseSelectionExpression";
            return Err(TemplateError::invalid(resource.id, message));
        }
        keys.push(key.to_owned());
        ids.push(target(resource, &properties, resources, scope)?);
    }
    keys.sort_unstable();
    ids.dedup();
    let [id] = ids.as_slice() else {
        return Err(TemplateError::invalid(
            api,
            "its routes lead to several functions, or there are none",
        ));
    };
    if keys != KEYS {
        return Err(TemplateError::invalid(
            api,
            format!("its routes are {keys:?} instead of {KEYS:?}"),
        ));
    }
    let function = functions.iter().find(|function| function.id == *id);
    let function = function
        .ok_or_else(|| TemplateError::invalid(api, format!("there is no function {id}")))?;
    Ok(Some(Websocket {
        path: format!("/{}", stage(resources, api, scope)?),
        function: function.name.clone(),
    }))
}

/// The stage's name is the path of the address.
fn stage(
    resources: &[Resource<'_>],
    api: &str,
    scope: &Scope<'_>,
) -> Result<String, TemplateError> {
    for resource in of_kind(resources, "AWS::ApiGatewayV2::Stage") {
        let known = ["ApiId", "AutoDeploy", "DefaultRouteSettings", "StageName"];
        let properties = resource.properties(scope, &known)?;
        if properties.text("ApiId")? == api {
            return Ok(properties.text("StageName")?.to_owned());
        }
    }
    Err(TemplateError::invalid(api, "it has no stage"))
}

fn of_kind<'r, 'a>(
    resources: &'r [Resource<'a>],
    kind: &'r str,
) -> impl Iterator<Item = &'r Resource<'a>> {
    resources
        .iter()
        .filter(move |resource| resource.kind == kind)
}
