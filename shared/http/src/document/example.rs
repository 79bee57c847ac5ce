//! Examples of whole bodies, made of the examples of their fields.

use serde_json::{Map, Value};
use utoipa::openapi::{Components, RefOr, Schema};

use super::{NO_EXAMPLE, words};

/// Schemas nest a few levels; one that contains itself ends here.
const DEPTH_MAX: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// What is required, and what has an example of its own.
    Request,
    /// Everything.
    Response,
}

/// The schemas of the document, to look references up.
pub(super) struct Examples(Value);

/// A field on the way down: its name, the schema it belongs to, and how deep it is.
#[derive(Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    owner: &'a str,
    depth: usize,
}

impl Examples {
    pub(super) fn of(components: Option<&Components>) -> Self {
        let schemas = components.map(|components| &components.schemas);
        Self(serde_json::to_value(schemas).unwrap_or_default())
    }

    pub(super) fn body(&self, schema: &RefOr<Schema>, side: Side) -> Option<Value> {
        let schema = serde_json::to_value(schema).ok()?;
        if schema["type"] == "string" {
            // Passed through as it is.
            return None;
        }
        let place = Place {
            name: "",
            owner: "",
            depth: 0,
        };
        Some(self.example(&schema, place, side))
    }

    fn example(&self, schema: &Value, place: Place<'_>, side: Side) -> Value {
        if let Some(own) = own(schema) {
            return own.clone();
        }
        if place.depth > DEPTH_MAX {
            return Value::Null;
        }
        if let Some(name) = schema["$ref"]
            .as_str()
            .and_then(|path| path.rsplit('/').next())
        {
            let place = Place {
                owner: name,
                depth: place.depth + 1,
                ..place
            };
            return self.example(&self.0[name], place, side);
        }
        for choice in ["allOf", "oneOf", "anyOf"] {
            let some = schema[choice].as_array().into_iter().flatten();
            if let Some(first) = some.into_iter().find(|one| one["type"] != "null") {
                return self.example(first, place, side);
            }
        }
        let (kind, nullable) = kind(schema);
        match kind {
            "object" => self.object(schema, place, side),
            "array" => {
                let place = Place {
                    depth: place.depth + 1,
                    ..place
                };
                Value::Array(vec![self.example(&schema["items"], place, side)])
            }
            "integer" | "number" => match &schema["minimum"] {
                Value::Null if nullable => Value::Null,
                Value::Null => Value::from(words::number(place.name)),
                minimum => minimum.clone(),
            },
            "boolean" => Value::Bool(true),
            _ => text(schema, place, nullable),
        }
    }

    fn object(&self, schema: &Value, place: Place<'_>, side: Side) -> Value {
        let Some(properties) = schema["properties"].as_object() else {
            return words::map(place.name);
        };
        let required = |name: &str| {
            let names = schema["required"].as_array();
            names.is_some_and(|names| names.iter().any(|one| one == name))
        };
        let fields = properties
            .iter()
            .filter(|(name, property)| {
                side == Side::Response || required(name) || own(property).is_some()
            })
            .map(|(name, property)| {
                let place = Place {
                    name,
                    depth: place.depth + 1,
                    ..place
                };
                (name.clone(), self.example(property, place, side))
            });
        Value::Object(fields.collect::<Map<_, _>>())
    }
}

/// The example that a schema has itself.
fn own(schema: &Value) -> Option<&Value> {
    let given = schema.get("example").or_else(|| schema["examples"].get(0));
    given.or_else(|| schema["enum"].get(0))
}

fn kind(schema: &Value) -> (&str, bool) {
    match &schema["type"] {
        Value::String(kind) => (kind, false),
        Value::Array(kinds) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str);
            (kinds.find(|kind| *kind != "null").unwrap_or("string"), true)
        }
        _ => ("object", false),
    }
}

fn text(schema: &Value, place: Place<'_>, nullable: bool) -> Value {
    if schema["format"] == "date-time" {
        return words::TIME.into();
    }
    // Why something failed is nothing to show where it did not.
    let absent = nullable && place.name == "reason";
    match words::text(place.name, place.owner).filter(|_| !absent) {
        Some(word) => word.into(),
        None if nullable => Value::Null,
        None => NO_EXAMPLE.into(),
    }
}
