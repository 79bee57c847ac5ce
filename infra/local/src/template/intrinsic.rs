//! Resolves Ref, Sub, GetAtt and If.
//!
//! A reference to a resource becomes its logical id, and an attribute of it `LogicalId.Attribute`:
//! enough for one resource to find another, and never mistaken for an address.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::TemplateError;

/// What names mean in one template.
pub(super) struct Scope<'a> {
    parameters: BTreeMap<&'a str, String>,
    conditions: Option<&'a Map<String, Value>>,
    resources: Option<&'a Map<String, Value>>,
}

impl<'a> Scope<'a> {
    /// # Errors
    /// A parameter has neither a default nor a value.
    pub(super) fn new(document: &'a Value, given: &[(&str, &str)]) -> Result<Self, TemplateError> {
        let mut parameters = BTreeMap::from([
            ("AWS::AccountId", "000000000000".to_owned()),
            ("AWS::Partition", "aws".to_owned()),
            ("AWS::Region", "local".to_owned()),
            ("AWS::StackName", "blazz".to_owned()),
            ("AWS::URLSuffix", "local".to_owned()),
        ]);
        for (name, declared) in document["Parameters"].as_object().into_iter().flatten() {
            let given = given
                .iter()
                .find(|(given, _)| given == name)
                .map(|(_, value)| (*value).to_owned());
            let value = given
                .or_else(|| declared["Default"].as_str().map(str::to_owned))
                .ok_or_else(|| {
                    TemplateError::invalid(
                        &format!("Parameters.{name}"),
                        "it has no default and no value",
                    )
                })?;
            parameters.insert(name, value);
        }
        Ok(Self {
            parameters,
            conditions: document["Conditions"].as_object(),
            resources: document["Resources"].as_object(),
        })
    }

    /// The value with every intrinsic function in it replaced by its result.
    pub(super) fn resolve(&self, value: &Value, place: &str) -> Result<Value, TemplateError> {
        match value {
            Value::Array(items) => {
                let items = items
                    .iter()
                    .map(|item| self.resolve(item, place))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Value::Array(
                    items.into_iter().filter(|item| !item.is_null()).collect(),
                ))
            }
            Value::Object(map) => match intrinsic(map) {
                Some((name, argument)) => self.call(name, argument, place),
                None => {
                    let mut resolved = Map::new();
                    for (key, value) in map {
                        let value = self.resolve(value, &format!("{place}.{key}"))?;
                        // AWS::NoValue removes the property.
                        if !value.is_null() {
                            resolved.insert(key.clone(), value);
                        }
                    }
                    Ok(Value::Object(resolved))
                }
            },
            plain => Ok(plain.clone()),
        }
    }

    /// Whether a named condition holds.
    pub(super) fn holds(&self, name: &str, place: &str) -> Result<bool, TemplateError> {
        let condition = self
            .conditions
            .and_then(|conditions| conditions.get(name))
            .ok_or_else(|| {
                TemplateError::invalid(place, format!("there is no condition {name}"))
            })?;
        self.test(condition, &format!("Conditions.{name}"))
    }

    fn call(&self, name: &str, argument: &Value, place: &str) -> Result<Value, TemplateError> {
        match (name, argument) {
            ("Ref", Value::String(name)) if name == "AWS::NoValue" => Ok(Value::Null),
            ("Ref", Value::String(name)) => self.reference(name, place).map(Value::String),
            ("Fn::GetAtt", Value::String(path)) => self.attribute(path, place).map(Value::String),
            ("Fn::GetAtt", Value::Array(path)) => {
                let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
                self.attribute(&path.join("."), place).map(Value::String)
            }
            ("Fn::Sub", Value::String(text)) => self.substitute(text, place).map(Value::String),
            ("Fn::If", Value::Array(branches)) => match branches.as_slice() {
                [Value::String(condition), yes, no] => self.resolve(
                    if self.holds(condition, place)? {
                        yes
                    } else {
                        no
                    },
                    place,
                ),
                _ => Err(TemplateError::invalid(
                    place,
                    "If takes a condition and two values",
                )),
            },
            ("Ref" | "Fn::GetAtt" | "Fn::Sub" | "Fn::If", _) => Err(TemplateError::invalid(
                place,
                format!("{name} is used in a form that is not known here"),
            )),
            _ => Err(TemplateError::UnknownIntrinsic {
                place: place.to_owned(),
                name: name.to_owned(),
            }),
        }
    }

    fn test(&self, condition: &Value, place: &str) -> Result<bool, TemplateError> {
        let malformed = || TemplateError::invalid(place, "this is not a condition");
        let (name, argument) = condition
            .as_object()
            .and_then(intrinsic)
            .ok_or_else(malformed)?;
        if let ("Condition", Value::String(other)) = (name, argument) {
            return self.holds(other, place);
        }
        let arguments = argument.as_array().ok_or_else(malformed)?;
        match (name, arguments.as_slice()) {
            ("Fn::Equals", [left, right]) => {
                Ok(self.resolve(left, place)? == self.resolve(right, place)?)
            }
            ("Fn::Not", [inner]) => Ok(!self.test(inner, place)?),
            ("Fn::And", all) => all
                .iter()
                .try_fold(true, |held, next| Ok(held & self.test(next, place)?)),
            ("Fn::Or", any) => any
                .iter()
                .try_fold(false, |held, next| Ok(held | self.test(next, place)?)),
            _ => Err(TemplateError::UnknownIntrinsic {
                place: place.to_owned(),
                name: name.to_owned(),
            }),
        }
    }

    fn reference(&self, name: &str, place: &str) -> Result<String, TemplateError> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        self.resource(name, place)?;
        Ok(name.to_owned())
    }

    fn attribute(&self, path: &str, place: &str) -> Result<String, TemplateError> {
        let (resource, _) = path
            .split_once('.')
            .ok_or_else(|| TemplateError::invalid(place, format!("{path} names no attribute")))?;
        self.resource(resource, place)?;
        Ok(path.to_owned())
    }

    fn substitute(&self, text: &str, place: &str) -> Result<String, TemplateError> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| TemplateError::invalid(place, "a ${ without its }"))?;
            result.push_str(before);
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
            } else if name.contains('.') {
                result.push_str(&self.attribute(name, place)?);
            } else {
                result.push_str(&self.reference(name, place)?);
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }

    fn resource(&self, name: &str, place: &str) -> Result<(), TemplateError> {
        let known = self
            .resources
            .is_some_and(|resources| resources.contains_key(name));
        if known {
            Ok(())
        } else {
            Err(TemplateError::invalid(
                place,
                format!("there is no resource or parameter {name}"),
            ))
        }
    }
}

/// An object with one key that looks like a function is one. `Condition` is one only inside
/// conditions: in a policy statement it is an ordinary key.
fn intrinsic(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = map.iter();
    match (entries.next(), entries.next()) {
        (Some((key, value)), None) if key == "Ref" || key.starts_with("Fn::") => Some((key, value)),
        (Some((key, value @ Value::String(_))), None) if key == "Condition" => Some((key, value)),
        _ => None,
    }
}
