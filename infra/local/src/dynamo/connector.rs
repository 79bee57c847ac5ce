//! The SDK's HTTP client that needs no HTTP.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use super::{Answer, Call, Interceptor, Next};

#[derive(Clone)]
pub(super) struct InProcess {
    next: Next,
    interceptor: Option<Arc<dyn Interceptor>>,
}

impl InProcess {
    pub(super) fn new(next: Next, interceptor: Option<Arc<dyn Interceptor>>) -> Self {
        Self { next, interceptor }
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let call = read(&request)?;
            let _open = this.next.counts.open.enter();
            let answer = match &this.interceptor {
                Some(interceptor) => interceptor
                    .call(call, this.next.clone())
                    .await
                    .map_err(|lost| ConnectorError::io(Box::new(lost)))?,
                None => this.next.run(call).await,
            };
            write(answer)
        })
    }
}

fn read(request: &HttpRequest) -> Result<Call, ConnectorError> {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let body = request.body().bytes().unwrap_or_default().to_vec();
    let body = String::from_utf8(body).map_err(|error| ConnectorError::user(Box::new(error)))?;
    Ok(Call { operation, body })
}

fn write(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(answer.status)
        .map_err(|error| ConnectorError::user(Box::new(error)))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    response
        .headers_mut()
        .insert("content-type", "application/x-amz-json-1.0");
    Ok(response)
}
