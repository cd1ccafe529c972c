/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A demonstration: a small estate as Azure's tools print it, and a month of Suricata's flows at its machines, up to yesterday. It
 * depends only on fixed numbers, so two runs on one day are equal.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/replace_file.h"
#include "base/trusted_path.h"
#include "whittle/app_health.h"

#define SUB "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/shop/providers/"
enum { DAYS = 31 };

static const struct machine { const char *name, *vnet, *subnet, *address, *public;
} machines[] = {
	{"web-1", "shop", "web", "10.20.1.4", "198.51.100.11"},
	{"web-2", "shop", "web", "10.20.1.5", "198.51.100.12"},
	{"web-3", "shop", "web", "10.20.1.6", NULL},
	{"app-1", "shop", "app", "10.20.2.4", NULL},
	{"app-2", "shop", "app", "10.20.2.5", NULL},
	{"db-1", "shop", "db", "10.20.3.4", NULL},
	{"db-2", "shop", "db", "10.20.3.5", NULL},
	{"jump", "office", "admin", "10.30.1.4", "198.51.100.20"},
	{"build", "office", "tools", "10.30.2.4", NULL},
	{"files", "office", "tools", "10.30.2.5", "198.51.100.21"},
	{"spare", "office", "tools", "10.30.2.9", NULL},
};
static const struct rule { const char *group, *name; int priority; const char *access, *source, *port;
} rules[] = {
	{"web", "https", 300, "Allow", "Internet", "443"},
	{"web", "ssh", 310, "Allow", "*", "22"},
	{"app", "from-web", 300, "Allow", "10.20.0.0/16", "8080"},
	{"app", "ssh", 310, "Allow", "*", "22"},
	{"db", "postgres", 300, "Allow", "10.0.0.0/8", "5432"},
	{"db", "ssh", 310, "Allow", "10.0.0.0/8", "22"},
	{"db", "rest", 400, "Deny", "*", "*"},
	{"admin", "ssh", 300, "Allow", "Internet", "22"},
	{"tools", "smb", 300, "Allow", "*", "445"},
	{"tools", "rdp", 310, "Allow", "*", "3389"},
	{"tools", "ssh", 320, "Allow", "*", "22"},
};
/* Peers whose last octet runs from `first` for `n`, `times` a day, from day `from` on. bytes 0: unanswered; port 0: another one
 * each time. */
static const struct traffic { const char *peers; int first, n; const char *to; int port, times, from; long bytes;
} traffic[] = {
	{"203.0.113.", 16, 14, "10.20.1.4", 443, 3, 0, 48000}, {"203.0.113.", 60, 20, "10.20.1.5", 443, 2, 0, 51000},
	{"192.0.2.", 130, 20, "10.20.1.5", 443, 2, 0, 39000},  {"10.30.1.", 4, 1, "10.20.1.4", 22, 2, 0, 22000},
	{"10.30.1.", 4, 1, "10.20.1.5", 22, 2, 0, 21000},      {"10.30.1.", 4, 1, "10.20.2.4", 22, 1, 0, 19000},
	{"10.20.1.", 4, 3, "10.20.2.4", 8080, 6, 0, 93000},    {"10.20.1.", 4, 3, "10.20.2.5", 8080, 6, 0, 91000},
	{"10.20.2.", 4, 2, "10.20.3.4", 5432, 8, 0, 240000},   {"10.20.2.", 4, 2, "10.20.3.5", 5432, 3, 0, 180000},
	{"140.20.30.", 8, 6, "10.30.1.4", 22, 2, 0, 36000},    {"10.20.1.", 4, 7, "10.30.2.4", 22, 1, 0, 11000},
	{"10.30.2.", 4, 1, "10.30.2.5", 445, 4, 0, 150000},    {"140.20.30.", 8, 4, "10.30.2.5", 3389, 1, 0, 64000},
	{"45.148.10.", 30, 1, "10.30.1.4", 22, 160, 30, 2600}, {"45.148.10.", 40, 1, "10.30.2.5", 3389, 60, 27, 0},
	{"185.234.217.", 7, 2, "10.20.1.4", 22, 25, 20, 0},    {"185.234.217.", 99, 1, "10.20.1.5", 0, 60, 30, 0},
};

/* ---- the estate ---- */

static void print_groups(FILE *f)
{
	static const char *const groups[] = {"web", "app", "db", "admin", "tools"};
	for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
		bool first = true;
		fprintf(f,
		        ",\n {\"id\": \"" SUB
		        "Microsoft.Network/networkSecurityGroups/%s\", \"name\": \"%s\", \"type\": \"Microsoft.Network/networkSecurityGroups\", \"location\": \"westeurope\", \"properties\": {\"securityRules\": [",
		        groups[g], groups[g]);
		for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
			const struct rule *r = &rules[i];
			if (strcmp(r->group, groups[g]))
				continue;
			fprintf(f,
			        "%s\n  {\"name\": \"%s\", \"priority\": %d, \"direction\": \"Inbound\", \"access\": \"%s\", \"protocol\": \"Tcp\", \"sourceAddressPrefix\": \"%s\", \"sourcePortRange\": \"*\", "
			        "\"destinationAddressPrefix\": \"*\", \"destinationPortRange\": \"%s\"}",
			        first ? "" : ",", r->name, r->priority, r->access, r->source, r->port);
			first = false;
		}
		fputs("]}}", f);
	}
}

static void print_vnet(FILE *f, const char *name, int octet, const char *const *subnets, const char *peer)
{
	fprintf(f,
	        "{\"id\": \"" SUB
	        "Microsoft.Network/virtualNetworks/%s\", \"name\": \"%s\", \"type\": \"Microsoft.Network/virtualNetworks\", \"location\": \"westeurope\", \"addressSpace\": {\"addressPrefixes\": [\"10.%d.0.0/16\"]},\n  \"subnets\": [",
	        name, name, octet);
	for (int i = 0; subnets[i]; i++)
		fprintf(f,
		        "%s{\"id\": \"" SUB
		        "Microsoft.Network/virtualNetworks/%s/subnets/%s\", \"name\": \"%s\", \"addressPrefix\": \"10.%d.%d.0/24\", \"networkSecurityGroup\": {\"id\": \"" SUB
		        "Microsoft.Network/networkSecurityGroups/%s\"}}",
		        i ? ",\n   " : "", name, subnets[i], subnets[i], octet, i + 1, subnets[i]);
	fprintf(f,
	        "],\n  \"virtualNetworkPeerings\": [{\"name\": \"to-%s\", \"peeringState\": \"Connected\", \"allowVirtualNetworkAccess\": true, \"remoteVirtualNetwork\": {\"id\": \"" SUB
	        "Microsoft.Network/virtualNetworks/%s\"}}]}",
	        peer, peer);
}

static void print_machine(FILE *f, const struct machine *m)
{
	fprintf(f,
	        ",\n {\"id\": \"" SUB
	        "Microsoft.Compute/virtualMachines/%s\", \"name\": \"%s\", \"type\": \"Microsoft.Compute/virtualMachines\", \"location\": \"westeurope\", \"networkProfile\": {\"networkInterfaces\": [{\"id\": \"" SUB
	        "Microsoft.Network/networkInterfaces/%s-nic\"}]}}",
	        m->name, m->name, m->name);
	fprintf(f,
	        ",\n {\"id\": \"" SUB
	        "Microsoft.Network/networkInterfaces/%s-nic\", \"name\": \"%s-nic\", \"type\": \"Microsoft.Network/networkInterfaces\", \"virtualMachine\": {\"id\": \"" SUB
	        "Microsoft.Compute/virtualMachines/%s\"}, "
	        "\"ipConfigurations\": [{\"name\": \"c\", \"privateIPAddress\": \"%s\", \"subnet\": {\"id\": \"" SUB
	        "Microsoft.Network/virtualNetworks/%s/subnets/%s\"}",
	        m->name, m->name, m->name, m->address, m->vnet, m->subnet);
	if (m->public)
		fprintf(f, ", \"publicIPAddress\": {\"id\": \"" SUB "Microsoft.Network/publicIPAddresses/%s-ip\"}", m->name);
	fputs("}]}", f);
	if (m->public)
		fprintf(f,
		        ",\n {\"id\": \"" SUB
		        "Microsoft.Network/publicIPAddresses/%s-ip\", \"name\": \"%s-ip\", \"type\": \"Microsoft.Network/publicIPAddresses\", \"ipAddress\": \"%s\", \"sku\": {\"name\": \"Standard\"}}",
		        m->name, m->name, m->public);
}

static void print_estate(FILE *f)
{
	static const char *const shop[] = {"web", "app", "db", NULL}, *const office[] = {"admin", "tools", NULL};
	fputc('[', f);
	print_vnet(f, "shop", 20, shop, "office");
	fputs(",\n ", f);
	print_vnet(f, "office", 30, office, "shop");
	print_groups(f);
	for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
		print_machine(f, &machines[i]);
	fputs("]\n", f);
}

/* ---- the flows ---- */

static void print_flow(FILE *f, const struct traffic *t, int peer, int port, int64_t start_us, uint64_t id)
{
	char start[WH_TIME_STRLEN], end[WH_TIME_STRLEN];
	bool answered = t->bytes > 0;
	wh_time_text(start_us, start);
	wh_time_text(start_us + (answered ? 300000000 : 3000000), end);
	start[19] = end[19] = 0;
	long out = answered ? t->bytes / 5 + peer * 13 : 180, in = answered ? t->bytes + peer * 29 : 0;
	fprintf(f,
	        "{\"timestamp\":\"%s.000000+0000\",\"flow_id\":%llu,\"event_type\":\"flow\",\"src_ip\":\"%s%d\",\"src_port\":%d,\"dest_ip\":\"%s\",\"dest_port\":%d,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":%ld,\"pkts_toclient\":%ld,"
	        "\"bytes_toserver\":%ld,\"bytes_toclient\":%ld,\"start\":\"%s.000000+0000\",\"end\":\"%s.000000+0000\",\"age\":%d,\"state\":\"%s\",\"reason\":\"timeout\",\"alerted\":false},\"tcp\":{\"tcp_flags\":\"%s\",\"tcp_flags_ts\":\"%s\","
	        "\"tcp_flags_tc\":\"%s\",\"syn\":true,\"ack\":%s,\"state\":\"%s\"}}\n",
	        end, (unsigned long long)id, t->peers, peer, 20000 + (int)(id % 40000), t->to, port, out / 90 + 2,
	        in / 900 + answered, out, in, start, end, answered ? 300 : 3, answered ? "closed" : "new", answered ? "1b" : "02",
	        answered ? "1b" : "02", answered ? "1b" : "00", answered ? "true" : "false", answered ? "closed" : "syn_sent");
}

static void print_flows(FILE *f, int64_t first_us)
{
	uint64_t id = 1;
	for (int day = 0; day < DAYS; day++)
		for (int time = 0; time < 160; time++)
			for (size_t i = 0; i < sizeof traffic / sizeof *traffic; i++)
				for (int k = 0; day >= traffic[i].from && time < traffic[i].times && k < traffic[i].n; k++) {
					int64_t minute = 7 * 60 + time * (14 * 60 / traffic[i].times) +
					                 (k * 7 + day * 3 + (int)i) % 13;
					print_flow(f, &traffic[i], traffic[i].first + k,
					           traffic[i].port ? traffic[i].port : 20 + 7 * time,
					           first_us + day * WH_US_PER_DAY + minute * 60000000, id++);
				}
}

/* ---- files ---- */

static int write_file(int dir, const char *name, void (*print)(FILE *f, int64_t arg), int64_t arg, struct wh_error *err)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);
	if (!f)
		return wh_fail(err, -ENOMEM, "out of memory");
	print(f, arg);
	int rc = fclose(f) ? -ENOMEM : wh_replace_file(dir, name, text, n);
	free(text);
	return rc ? wh_fail(err, rc, "%s: cannot be written: %s", name, strerror(-rc)) : 0;
}

static void estate(FILE *f, int64_t ignored)
{
	(void)ignored;
	print_estate(f);
}

static void settings(FILE *f, int64_t ignored)
{
	(void)ignored;
	fputs("jit:\n  - {resource: jump, ports: [3389/tcp], from: [140.20.30.0/24], longest: 2h}\n", f);
}

int wh_app_demo_data(const char *dir, struct wh_error *err)
{
	bool made;
	int fd = wh_trusted_directory(dir, &made, err);
	if (fd < 0)
		return fd;
	int rc = write_file(fd, "estate.json", estate, 0, err);
	rc = rc ? rc : write_file(fd, "eve.json", print_flows, ((int64_t)wh_day(wh_now_us()) - DAYS) * WH_US_PER_DAY, err);
	rc = rc ? rc : write_file(fd, "whittle.yaml", settings, 0, err);
	close(fd);
	return rc;
}
