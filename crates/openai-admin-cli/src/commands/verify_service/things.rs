//! Creates and removes the resources of a verification, and journals both.

use openai_admin::{
    Endpoint, Error, ErrorKind, ProjectId, Response,
    operations::{
        ArchiveProject, DeactivateProjectCertificates, DeleteCertificate, DeleteGroup, DeleteInvite,
        DeleteRole, ListGroups, ListInvites, ListOrganizationCertificates, ListProjects, ListRoles,
        RetrieveProject, certificates::ToggleCertificatesRequest,
    },
};

use super::{
    journal::{Entry, Journal, Kind, Thing},
    service::Service,
};
use crate::failure::{Doing as _, ExitStatus, Failure, Result};

/// The most requests that remove a resource.
pub(super) const fn removal_requests(kind: Kind) -> usize {
    match kind {
        // A certificate is deactivated first. A refused archival reads the project.
        Kind::Certificate | Kind::Project => 2,
        Kind::Group | Kind::Role | Kind::Invite => 1,
    }
}

/// The resources of a verification.
pub(super) struct Things<'a> {
    pub(super) service: &'a Service,
    journal: Journal,
}

impl<'a> Things<'a> {
    pub(super) fn new(service: &'a Service, journal: Journal) -> Self {
        Self { service, journal }
    }

    /// Sends a request that creates a resource with this name, and journals its id. The inner error is the service's.
    pub(super) async fn create<E: Endpoint>(
        &mut self,
        resource: Kind,
        name: &str,
        request: &E,
        thing: impl FnOnce(&E::Response) -> Thing,
    ) -> Result<Result<Response<E::Response>, Error>> {
        self.write(Entry::Creating { resource, name: name.to_owned() })?;
        let created = self.service.send(request).await;
        match &created {
            Ok(response) => self.write(Entry::Created(thing(response)))?,
            Err(error) if is_without_effect(error) => self.write(Entry::NotCreated)?,
            Err(_) => self.find_uncertain().await?,
        }
        Ok(created)
    }

    /// Looks for the resource of a creation without a known result.
    async fn find_uncertain(&mut self) -> Result<()> {
        let Some((kind, name)) = self.journal.left().uncertain.clone() else { return Ok(()) };
        let known = self.journal.left().things.clone();
        let found = find(self.service, kind, &name, &known).await.doing(|| format!("look for {name}"))?;
        self.write(found.map_or(Entry::NotCreated, Entry::Created))
    }

    /// Removes everything, the newest first, and deletes the journal.
    pub(super) async fn remove_all(mut self) -> Result<()> {
        self.find_uncertain().await?;
        let mut things = self.journal.left().things.clone();
        let project = things.iter().find_map(|thing| match thing {
            Thing::Project(project) => Some(project.clone()),
            _ => None,
        });
        let mut failures = Vec::new();
        while let Some(thing) = things.pop() {
            match remove(self.service, &thing, project.as_ref()).await {
                Ok(()) => self.write(Entry::Removed(thing))?,
                Err(error) => failures.push(Failure::from(error)),
            }
        }
        if self.journal.left().is_empty() {
            return Ok(self.journal.delete()?);
        }
        let first = failures.pop().map(|failure| failure.message).unwrap_or_default();
        let left = crate::output::count(self.journal.left().things.len(), "resource");
        Err(Failure::new(ExitStatus::Partial, format!("cannot remove {left}: {first}"))
            .suggest("verify-service --clean-up", "tries again"))
    }

    fn write(&mut self, entry: Entry) -> Result<()> {
        self.journal.write(entry).doing(|| "write the journal".to_owned())
    }
}

/// Whether the service has certainly not created anything.
fn is_without_effect(error: &Error) -> bool {
    let is_refusal = error.status().is_some_and(|status| status.is_client_error());
    !error.was_sent() || error.kind() == ErrorKind::Refused && is_refusal
}

/// Finds an unknown resource by its name.
async fn find(service: &Service, kind: Kind, name: &str, known: &[Thing]) -> Result<Option<Thing>, Error> {
    let new = |is_named: bool, thing: Thing| (is_named && !known.contains(&thing)).then_some(thing);
    let is_name = |other: &Option<String>| other.as_deref() == Some(name);
    match kind {
        Kind::Project => {
            let list = ListProjects::default();
            service.find(list, |it| new(is_name(&it.name), Thing::Project(it.id.clone()))).await
        }
        Kind::Group => {
            let list = ListGroups::new();
            service.find(list, |it| new(it.name == name, Thing::Group(it.id.clone()))).await
        }
        Kind::Role => {
            let list = ListRoles::default();
            service.find(list, |it| new(it.name == name, Thing::Role(it.id.clone()))).await
        }
        Kind::Certificate => {
            let list = ListOrganizationCertificates::default();
            service.find(list, |it| new(is_name(&it.name), Thing::Certificate(it.id.clone()))).await
        }
        Kind::Invite => {
            let list = ListInvites::default();
            service.find(list, |it| new(&*it.email == name, Thing::Invite(it.id.clone()))).await
        }
    }
}

/// Removes a resource. One that no longer exists counts as removed.
async fn remove(service: &Service, thing: &Thing, project: Option<&ProjectId>) -> Result<(), Error> {
    let removed = match thing {
        Thing::Project(id) => archive(service, id).await,
        Thing::Group(id) => service.send(&DeleteGroup::new(id.clone())).await.map(drop),
        Thing::Role(id) => service.send(&DeleteRole::new(id.clone())).await.map(drop),
        Thing::Certificate(id) => {
            if let Some(project) = project {
                let body = ToggleCertificatesRequest::new(vec![id.clone()]);
                // It is refused if the certificate is not active. The deletion reports any other problem.
                let _ = service.send(&DeactivateProjectCertificates::new(project.clone(), body)).await;
            }
            service.send(&DeleteCertificate::new(id.clone())).await.map(drop)
        }
        Thing::Invite(id) => service.send(&DeleteInvite::new(id.clone())).await.map(drop),
    };
    match removed {
        Err(error) if error.is_not_found() => Ok(()),
        removed => removed,
    }
}

/// Archives a project: the API cannot delete it. Archiving twice is refused.
async fn archive(service: &Service, id: &ProjectId) -> Result<(), Error> {
    let Err(error) = service.send(&ArchiveProject::new(id.clone())).await else { return Ok(()) };
    match service.send(&RetrieveProject::new(id.clone())).await {
        Ok(project) if project.archived_at.is_some() => Ok(()),
        _ => Err(error),
    }
}
