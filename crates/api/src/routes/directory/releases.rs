//! `PUT|GET /projects/{projectId}/releases/{releaseId}`.

use actix_web::HttpResponse;
use serde_json::json;
use timelog_domain::Release;

use super::shown::{get, put};
use crate::document::{About, Answer, Sample, Tag};
use crate::http::problem::Problem;
use crate::routes::admission::{Admin, HasKey, Read, ToRelease};
use crate::routes::asked::{Asked, Sending};
use crate::wire::bytes;
use crate::wire::directory::{PutRelease, ReleaseBody};

pub(in crate::routes) async fn put_release(
    asked: Asked<ToRelease<Admin>, Sending<PutRelease>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, input, .. } = asked;
    let organization_id = by.key().organization_id;
    let release =
        Release { organization_id, project_id: by.project.id, id: by.id, name: input.body };
    let shown = bytes(&ReleaseBody::from(&release));
    put(state.ports.directory.put_release(release).await, shown)
}

pub(in crate::routes) async fn get_release(
    asked: Asked<ToRelease<Read>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, .. } = asked;
    let organization = by.key().organization_id;
    let release = state.ports.directory.release(organization, by.project.id, by.id).await?;
    get(release.as_ref().map(ReleaseBody::from))
}

pub(in crate::routes) fn about_put() -> About {
    About::new(
        "putRelease",
        Tag::Directory,
        "Put a release",
        "Makes the release, or replaces it. Sent again, it changes nothing. The key needs the \
         permission `admin`, and must not be confined to another project.",
    )
    .answer(
        Answer::json::<ReleaseBody<'_>>(200, "It was there and says this now.").sample(sample()),
    )
    .answer(Answer::json::<ReleaseBody<'_>>(201, "It is new.").sample(sample()))
}

pub(in crate::routes) fn about_get() -> About {
    About::new(
        "getRelease",
        Tag::Directory,
        "Read a release",
        "Shows the release. The key needs the permission `read`.",
    )
    .answer(Answer::json::<ReleaseBody<'_>>(200, "The release.").sample(sample()))
}

fn sample() -> Sample {
    let value = json!({
        "id": "0194683a-2c3b-7a01-9b02-0c3d4e5f6071",
        "projectId": "9a8b7c6d-0000-0000-0000-000000000002",
        "name": "2025.1",
    });
    Sample::new("shown", "A release", value)
}
