#ifndef PARCOURS_SERVICES_ENROLMENT_DOMAIN_NAMES_H_
#define PARCOURS_SERVICES_ENROLMENT_DOMAIN_NAMES_H_

#include "common/types/resource_name.h"

namespace parcours::enrolment {

using BodyName = ResourceName<"bodies/*">;
using ProgrammeName = ResourceName<"bodies/*/programmes/*">;
using CohortName = ResourceName<"bodies/*/cohorts/*">;
using PersonName = ResourceName<"bodies/*/persons/*">;
using OrganisationName = ResourceName<"bodies/*/organisations/*">;
using UploadName = ResourceName<"bodies/*/uploads/*">;
using ApplicationName = ResourceName<"bodies/*/cohorts/*/applications/*">;
using AgreementName = ResourceName<"bodies/*/agreements/*">;
using ApiClientName = ResourceName<"bodies/*/apiClients/*">;
using EnrolmentName = ResourceName<"bodies/*/cohorts/*/enrolments/*">;
using ErasureName = ResourceName<"bodies/*/erasures/*">;

}  // namespace parcours::enrolment

#endif  // PARCOURS_SERVICES_ENROLMENT_DOMAIN_NAMES_H_
