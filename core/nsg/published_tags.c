/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "nsg/published_tags.h"

/* Sorted, ignoring case. */
static const char *const names[] = {
	"ActionGroup",
	"ApiManagement",
	"AppConfiguration",
	"ApplicationInsightsAvailability",
	"AppService",
	"AppServiceManagement",
	"AutonomousDevelopmentPlatform",
	"AzureActiveDirectory",
	"AzureActiveDirectoryDomainServices",
	"AzureAdvancedThreatProtection",
	"AzureAPIForFHIR",
	"AzureArcInfrastructure",
	"AzureAttestation",
	"AzureBackup",
	"AzureBotService",
	"AzureCloud",
	"AzureCognitiveSearch",
	"AzureConnectors",
	"AzureContainerAppsService",
	"AzureContainerRegistry",
	"AzureCosmosDB",
	"AzureDatabricks",
	"AzureDataExplorerManagement",
	"AzureDataLake",
	"AzureDeviceUpdate",
	"AzureDevOps",
	"AzureDigitalTwins",
	"AzureEventGrid",
	"AzureFrontDoor",
	"AzureHealthcareAPIs",
	"AzureInformationProtection",
	"AzureIoTHub",
	"AzureKeyVault",
	"AzureLoadBalancer",
	"AzureLoadTestingInstanceManagement",
	"AzureMachineLearning",
	"AzureMachineLearningInference",
	"AzureManagedGrafana",
	"AzureMonitor",
	"AzureMonitorForSAP",
	"AzureOpenDatasets",
	"AzurePlatformDNS",
	"AzurePlatformIMDS",
	"AzurePlatformLKM",
	"AzureResourceManager",
	"AzureSecurityCenter",
	"AzureSentinel",
	"AzureSignalR",
	"AzureSiteRecovery",
	"AzureSphere",
	"AzureSpringCloud",
	"AzureStack",
	"AzureTrafficManager",
	"AzureUpdateDelivery",
	"AzureVideoAnalyzerForMedia",
	"AzureWebPubSub",
	"BatchNodeManagement",
	"ChaosStudio",
	"CognitiveServicesFrontend",
	"CognitiveServicesManagement",
	"DataFactory",
	"DataFactoryManagement",
	"Dynamics365BusinessCentral",
	"Dynamics365ForMarketingEmail",
	"EOPExternalPublishedIPs",
	"EventHub",
	"GatewayManager",
	"GenevaActions",
	"GuestAndHybridManagement",
	"HDInsight",
	"Internet",
	"KustoAnalytics",
	"LogicApps",
	"LogicAppsManagement",
	"M365ManagementActivityApi",
	"M365ManagementActivityApiWebhook",
	"Marketplace",
	"MicrosoftAzureFluidRelay",
	"MicrosoftCloudAppSecurity",
	"MicrosoftContainerRegistry",
	"MicrosoftDefenderForEndpoint",
	"MicrosoftPurviewPolicyDistribution",
	"OneDsCollector",
	"PowerBI",
	"PowerPlatformInfra",
	"PowerPlatformPlex",
	"PowerQueryOnline",
	"SCCservice",
	"Scuba",
	"SecurityCopilot",
	"SerialConsole",
	"ServiceBus",
	"ServiceFabric",
	"Sql",
	"SqlManagement",
	"Storage",
	"StorageMover",
	"StorageSyncService",
	"TrafficManager",
	"VideoIndexer",
	"VirtualDesktop",
	"VirtualNetwork",
	"WindowsAdminCenter",
	"WindowsVirtualDesktop",
};

struct part { const char *text; size_t n; };

static int by_name(const void *key, const void *entry)
{
	const struct part *p = key;
	const char *name = *(const char *const *)entry;
	int c = strncasecmp(p->text, name, p->n);
	return c ? c : name[p->n] ? -1 : 0;
}

bool wh_tag_is_published(const char *tag)
{
	struct part p = {tag, strcspn(tag, ".")};
	if (wh_tag_is_aws(tag))
		return true;
	return p.n && bsearch(&p, names, sizeof names / sizeof *names, sizeof *names, by_name);
}

bool wh_tag_is_aws(const char *tag)
{
	return !strncmp(tag, "com.amazonaws.", 14);
}

bool wh_tag_is_cloud(const char *tag)
{
	return !strncasecmp(tag, "AzureCloud", 10) && (!tag[10] || tag[10] == '.');
}

bool wh_tag_is_expression(const char *tag)
{
	return *tag == '[' || strstr(tag, "${");
}
