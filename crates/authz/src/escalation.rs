//! Nobody can give what they lack.

use crate::{Plane, Policy, Request, Role, Scope, Subject, Tree};

/// Verb on roles that lets somebody give rights that they lack.
const ESCALATE: &str = "escalate";

impl Policy {
    /// Whether somebody may give a role at a scope: they must hold all of it there, or the verb `escalate` on it.
    ///
    /// # Errors
    /// The first part that they lack.
    pub fn may_grant<'a>(&self, subject: &Subject, role: &'a Role, scope: &Scope) -> Result<(), Request<'a>> {
        let place = Tree::place(scope);
        if self.may(subject, &Request::hub(ESCALATE, "roles", &role.name), place).is_allowed() {
            return Ok(());
        }
        let held: Vec<&Role> = self.holdings(subject, place).map(|holding| holding.role).collect();
        let lacks = |part: &Request<'_>| {
            !held.iter().flat_map(|role| role.rules(part.plane)).any(|rule| rule.covers(part))
        };
        let parts = [Plane::Hub, Plane::Cluster]
            .into_iter()
            .flat_map(|plane| role.rules(plane).iter().flat_map(move |rule| rule.parts(plane)));
        parts.into_iter().find(lacks).map_or(Ok(()), Err)
    }
}
