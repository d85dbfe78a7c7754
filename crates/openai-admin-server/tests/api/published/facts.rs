//! The facts of an OpenAPI document, one for each parameter and field, as a text that a person can read.
//!
//! An operation is a line `id METHOD path`, followed by an indented line for each fact: `place presence types
//! keyword=value…`, such as `query.limit optional integer default=100 maximum=1000 minimum=0`. Answers that are the same
//! are written once: `answer as usage-completions`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde_json::Value;

/// The keywords of a schema that bound a value. Patterns and formats are not compared.
const BOUNDS: [&str; 10] = [
    "default",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
];
/// The keyword of a line that lists the values of an enum.
const VALUES: &str = "values";
/// The value of an enum that also allows other strings.
const OTHERS: &str = "…";
/// The word of a line that refers to the answer of an earlier operation.
const SAME: &str = "as";
/// How deep the objects of a schema are nested at most. The published ones are at most 7 deep.
const DEPTH_MAX: usize = 24;

/// The operations of a description, by id.
pub(crate) type Operations = BTreeMap<String, Operation>;

/// An operation: its method, path, and facts by their place, such as `query.limit` or `answer.data[].id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) is_extension: bool,
    pub(crate) facts: BTreeMap<String, Fact>,
}

/// What a schema says about one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fact {
    /// Whether it must be present; the items of a list are neither.
    pub(crate) is_required: Option<bool>,
    /// The types. Empty if any is allowed.
    pub(crate) types: BTreeSet<String>,
    /// The values of an enum, with [`OTHERS`] if there may be more. Empty if any is allowed.
    pub(crate) values: BTreeSet<String>,
    /// The bounds, as JSON.
    pub(crate) bounds: BTreeMap<String, String>,
}

/// Reads the facts of OpenAPI documents.
pub(crate) fn of_document(document: &Value) -> Operations {
    let schemas = Schemas(document);
    let mut operations = Operations::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if !["get", "post", "delete", "put", "patch"].contains(&method.as_str()) {
                continue;
            }
            let mut facts = BTreeMap::new();
            let shared = methods["parameters"].as_array().into_iter().flatten();
            for parameter in shared.chain(operation["parameters"].as_array().into_iter().flatten()) {
                let parameter = schemas.resolve(parameter);
                let text = |field: &str| parameter[field].as_str().unwrap().to_owned();
                let place = format!("{}.{}", text("in"), text("name"));
                let is_required = parameter["required"] == true;
                schemas.read(&parameter["schema"], place, Some(is_required), 0, &mut facts);
            }
            let body = schemas.resolve(&operation["requestBody"]);
            if body.is_object() {
                let schema = &body["content"]["application/json"]["schema"];
                schemas.read(schema, "body".to_owned(), Some(body["required"] == true), 0, &mut facts);
            }
            let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            schemas.read(answer, "answer".to_owned(), Some(true), 0, &mut facts);
            let (method, path) = (method.to_uppercase(), path.clone());
            let is_extension = operation["x-extension"] == true;
            let id = operation["operationId"].as_str().unwrap().to_owned();
            operations.insert(id, Operation { method, path, is_extension, facts });
        }
    }
    operations
}

struct Schemas<'a>(&'a Value);

impl Schemas<'_> {
    /// Follows references, and joins the parts of `allOf`.
    fn resolve(&self, schema: &Value) -> Value {
        let mut schema = schema.clone();
        while let Some(reference) = schema["$ref"].as_str() {
            let mut target = self.0.pointer(reference.trim_start_matches('#')).expect(reference).clone();
            let siblings = schema.as_object().unwrap().iter().filter(|(name, _)| *name != "$ref");
            for (name, value) in siblings {
                target[name] = value.clone();
            }
            schema = target;
        }
        let Some(parts) = schema.as_object_mut().and_then(|it| it.remove("allOf")) else { return schema };
        for part in parts.as_array().unwrap() {
            for (name, value) in self.resolve(part).as_object().unwrap() {
                match (name.as_str(), schema.get_mut(name)) {
                    ("properties", Some(Value::Object(fields))) => {
                        fields.extend(value.as_object().unwrap().clone());
                    }
                    ("required", Some(Value::Array(names))) => {
                        names.extend(value.as_array().unwrap().clone())
                    }
                    (_, Some(_)) => {}
                    (_, None) => schema[name] = value.clone(),
                }
            }
        }
        schema
    }

    /// The alternatives of a schema: one, unless it has `oneOf` or `anyOf`.
    fn alternatives(&self, schema: &Value) -> Vec<Value> {
        let mut schema = self.resolve(schema);
        let fields = schema.as_object_mut();
        let Some(list) = fields.and_then(|it| it.remove("oneOf").or_else(|| it.remove("anyOf"))) else {
            return vec![schema];
        };
        let alternatives = list.as_array().unwrap().iter().flat_map(|it| self.alternatives(it));
        let with_common = alternatives.map(|mut alternative| {
            for (name, value) in schema.as_object().unwrap() {
                if alternative.get(name).is_none() {
                    alternative[name] = value.clone();
                }
            }
            alternative
        });
        with_common.collect()
    }

    /// The value that only this alternative has in its field `object` or `type`.
    fn tag(&self, object: &Value) -> Option<String> {
        ["object", "type"].iter().find_map(|name| {
            let field = self.resolve(object["properties"].get(name)?);
            let values = field["enum"].as_array();
            let one = field.get("const").or_else(|| values.filter(|it| it.len() == 1)?.first())?;
            one.as_str().map(str::to_owned)
        })
    }

    fn read(
        &self,
        schema: &Value,
        place: String,
        is_required: Option<bool>,
        depth: usize,
        facts: &mut BTreeMap<String, Fact>,
    ) {
        assert!(depth < DEPTH_MAX, "{place}: a schema that contains itself");
        let alternatives = self.alternatives(schema);
        let fact = facts.entry(place.clone()).or_default();
        fact.is_required = is_required;
        alternatives.iter().for_each(|it| fact.add(it));
        for alternative in &alternatives {
            for (keyword, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
                if alternative[keyword].as_object().is_some_and(|it| !it.is_empty()) {
                    self.read(&alternative[keyword], format!("{place}{suffix}"), None, depth + 1, facts);
                }
            }
        }
        let objects: Vec<&Value> = alternatives.iter().filter(|it| it["properties"].is_object()).collect();
        let tags: BTreeSet<String> = objects.iter().filter_map(|object| self.tag(object)).collect();
        let groups: Vec<(String, Vec<&Value>)> = match objects.len() > 1 && tags.len() == objects.len() {
            true => objects.iter().map(|it| (format!("<{}>", self.tag(it).unwrap()), vec![*it])).collect(),
            false => vec![(String::new(), objects)],
        };
        for (group, objects) in groups {
            let fields = || objects.iter().map(|it| it["properties"].as_object().unwrap());
            let names: BTreeSet<&String> = fields().flat_map(|it| it.keys()).collect();
            for name in names {
                let has = |object: &Value| {
                    object["required"].as_array().is_some_and(|it| it.iter().any(|it| it == name))
                };
                let is_required = objects.iter().all(|it| has(it));
                let types: Vec<&Value> = fields().filter_map(|it| it.get(name)).collect();
                let place = format!("{place}{group}.{name}");
                self.read(&serde_json::json!({ "anyOf": types }), place, Some(is_required), depth + 1, facts);
            }
        }
    }
}

impl Fact {
    fn add(&mut self, schema: &Value) {
        let named = |name: &Value| name.as_str().unwrap().to_owned();
        let mut types: BTreeSet<String> = match &schema["type"] {
            Value::Array(types) => types.iter().map(named).collect(),
            Value::Null => BTreeSet::new(),
            one => BTreeSet::from([named(one)]),
        };
        let constant = schema.get("const").into_iter();
        let values: Vec<&Value> = constant.chain(schema["enum"].as_array().into_iter().flatten()).collect();
        if types.is_empty() {
            let derived = match schema["properties"].is_object() {
                true => Some("object"),
                false => values.iter().find_map(|it| it.as_str().map(|_| "string")),
            };
            types.extend(derived.map(str::to_owned));
        }
        match values.is_empty() {
            true if types.contains("string") => _ = self.values.insert(OTHERS.to_owned()),
            true => {}
            false => self.values.extend(values.iter().filter_map(|it| it.as_str().map(str::to_owned))),
        }
        self.types.extend(types);
        // An absent default and null are the same.
        for bound in BOUNDS.iter().filter(|bound| !schema[**bound].is_null()) {
            self.bounds.insert((*bound).to_owned(), schema[*bound].to_string());
        }
    }

    /// Whether the values are an enum.
    pub(crate) fn is_closed(&self) -> bool {
        !self.values.is_empty() && !self.values.contains(OTHERS)
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let presence = match self.is_required {
            Some(true) => "required",
            Some(false) => "optional",
            None => "each",
        };
        let joined = |set: &BTreeSet<String>| set.iter().map(String::as_str).collect::<Vec<_>>().join("|");
        write!(
            f,
            "{presence} {}",
            if self.types.is_empty() { "any".to_owned() } else { joined(&self.types) }
        )?;
        if self.values.iter().any(|value| value != OTHERS) {
            write!(f, " {VALUES}={}", joined(&self.values))?;
        }
        self.bounds.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

impl FromStr for Fact {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or_else(|| format!("an incomplete fact: {text}"));
        let is_required = match word()? {
            "required" => Some(true),
            "optional" => Some(false),
            "each" => None,
            other => return Err(format!("an unknown presence: {other}")),
        };
        let set = |text: &str| text.split('|').map(str::to_owned).collect();
        let types: BTreeSet<String> = match word()? {
            "any" => BTreeSet::new(),
            types => set(types),
        };
        let mut fact = Self { is_required, types, ..Self::default() };
        for word in words {
            let (name, value) = word.split_once('=').ok_or_else(|| format!("not keyword=value: {word}"))?;
            match name {
                VALUES => fact.values = set(value),
                name if BOUNDS.contains(&name) => _ = fact.bounds.insert(name.to_owned(), value.to_owned()),
                name => return Err(format!("an unknown keyword: {name}")),
            }
        }
        if fact.values.is_empty() && fact.types.contains("string") {
            fact.values.insert(OTHERS.to_owned());
        }
        Ok(fact)
    }
}

/// Writes operations as a text.
pub(crate) fn write(operations: &Operations) -> String {
    let mut text = String::new();
    let mut answers: BTreeMap<String, &str> = BTreeMap::new();
    for (id, operation) in operations {
        text += &format!("{id} {} {}\n", operation.method, operation.path);
        let line = |(place, fact): (&String, &Fact)| format!("  {place} {fact}\n");
        let (answer, request): (Vec<_>, Vec<_>) =
            operation.facts.iter().partition(|(place, _)| place.starts_with("answer"));
        text.extend(request.into_iter().map(line));
        let answer: String = answer.into_iter().map(line).collect();
        match answers.get(&answer) {
            Some(id) => text += &format!("  answer {SAME} {id}\n"),
            None => {
                text += &answer;
                answers.insert(answer, id);
            }
        }
    }
    text
}

/// Reads what [`write`] has written.
pub(crate) fn parse(text: &str) -> Result<Operations, String> {
    let mut operations = Operations::new();
    let mut current: Option<Operation> = None;
    let mut id = "";
    for line in text.lines().chain([""]) {
        if let Some(fact) = line.strip_prefix("  ") {
            let (place, fact) = fact.split_once(' ').ok_or_else(|| format!("not a fact: {line}"))?;
            let facts = &mut current.as_mut().ok_or("a fact without an operation")?.facts;
            match fact.strip_prefix(SAME) {
                Some(other) => {
                    let other = operations.get(other.trim()).ok_or_else(|| format!("unknown: {line}"))?;
                    let answer = other.facts.iter().filter(|(other, _)| other.starts_with(place));
                    facts.extend(answer.map(|(place, fact)| (place.clone(), fact.clone())));
                }
                None => _ = facts.insert(place.to_owned(), fact.parse()?),
            }
            continue;
        }
        if let Some(operation) = current.take() {
            operations.insert(id.to_owned(), operation);
        }
        let mut words = line.split(' ');
        if let (Some(name), Some(method), Some(path)) = (words.next(), words.next(), words.next()) {
            id = name;
            let (method, path) = (method.to_owned(), path.to_owned());
            current = Some(Operation { method, path, is_extension: false, facts: BTreeMap::new() });
        }
    }
    Ok(operations)
}
