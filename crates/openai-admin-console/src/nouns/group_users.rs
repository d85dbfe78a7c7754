//! Members of a group: add pasted addresses, remove selected members. Both become a plan.

use axum::extract::Path;
use openai_admin::{Error, UserId};

use crate::{
    base::{failure::Failure, page::Answer},
    nouns::runs,
    visit::ChangeForm,
};

pub(crate) async fn plan(Path(id): Path<String>, form: ChangeForm) -> Answer {
    let ChangeForm { visit, fields } = form;
    let group = visit.client.groups().retrieve_group(id).await?.into_inner();
    let planner = runs::planner(&visit)?;
    let planned = match fields.get("action") {
        "add" if fields.get("addresses").is_empty() => {
            return Err(Failure::invalid("paste at least one email address"));
        }
        "add" => planner.plan_additions(&group, fields.raw("addresses")).await,
        _ => {
            let users: Result<Vec<UserId>, _> = fields.values("user").map(UserId::try_from).collect();
            let users = users.map_err(Error::from)?;
            if users.is_empty() {
                return Err(Failure::invalid("select at least one member"));
            }
            planner.plan_removals(&group, users).await
        }
    };
    runs::keep(&visit, planned)
}
