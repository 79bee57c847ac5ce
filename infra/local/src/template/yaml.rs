//! From YAML to one JSON value, in which `!Ref X` has become `{"Ref": "X"}`: the long and the short
//! form of an intrinsic function are the same thing from here on.

use saphyr::{LoadableYamlNode, Scalar, Tag, Yaml};
use serde_json::{Map, Value};

use super::TemplateError;

/// # Errors
/// The text is not YAML, or holds a tag that is not known.
pub(super) fn load(text: &str) -> Result<Value, TemplateError> {
    let documents =
        Yaml::load_from_str(text).map_err(|error| TemplateError::Syntax(error.to_string()))?;
    match documents.as_slice() {
        [document] => convert(document, "Template"),
        _ => Err(TemplateError::Syntax(format!(
            "{} documents instead of one",
            documents.len()
        ))),
    }
}

fn convert(node: &Yaml<'_>, place: &str) -> Result<Value, TemplateError> {
    match node {
        Yaml::Value(scalar) => scalar_value(scalar, place),
        Yaml::Sequence(items) => items.iter().map(|item| convert(item, place)).collect(),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let key = match key {
                    Yaml::Value(Scalar::String(key)) => key.to_string(),
                    _ => return Err(TemplateError::invalid(place, "a key is not text")),
                };
                let value = convert(value, &format!("{place}.{key}"))?;
                map.insert(key, value);
            }
            Ok(Value::Object(map))
        }
        Yaml::Tagged(tag, node) => {
            let name = long_name(tag).ok_or_else(|| TemplateError::UnknownIntrinsic {
                place: place.to_owned(),
                name: tag.to_string(),
            })?;
            Ok(Value::Object(Map::from_iter([(
                name.to_owned(),
                convert(node, place)?,
            )])))
        }
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => Err(TemplateError::invalid(
            place,
            "an alias or a value that cannot be read",
        )),
    }
}

fn scalar_value(scalar: &Scalar<'_>, place: &str) -> Result<Value, TemplateError> {
    match scalar {
        Scalar::Null => Ok(Value::Null),
        Scalar::Boolean(value) => Ok(Value::Bool(*value)),
        Scalar::Integer(value) => Ok(Value::from(*value)),
        Scalar::String(value) => Ok(Value::String(value.to_string())),
        Scalar::FloatingPoint(_) => Err(TemplateError::invalid(
            place,
            "a fraction is not expected anywhere",
        )),
    }
}

/// The tags that the template may use. Each is resolved in `intrinsic.rs`.
fn long_name(tag: &Tag) -> Option<&'static str> {
    if tag.handle != "!" {
        return None;
    }
    match tag.suffix.as_str() {
        "Ref" => Some("Ref"),
        "Condition" => Some("Condition"),
        "Sub" => Some("Fn::Sub"),
        "GetAtt" => Some("Fn::GetAtt"),
        "If" => Some("Fn::If"),
        "Equals" => Some("Fn::Equals"),
        "Not" => Some("Fn::Not"),
        "And" => Some("Fn::And"),
        "Or" => Some("Fn::Or"),
        _ => None,
    }
}
