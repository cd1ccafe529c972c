/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes an estate as az lists it: make_estate DIRECTORY VMS SUBNETS GROUPS RULES. The same numbers give the same files. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "/subscriptions/0a1b2c3d-1111-4222-8333-444455556666/resourceGroups/rg-plant/providers/Microsoft."

static uint64_t seed = 0x9e3779b97f4a7c15u;

static unsigned below(unsigned n)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return (unsigned)((seed >> 11) % n);
}

static FILE *begin(const char *dir, const char *name)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(1);
	}
	fputs("[\n", f);
	return f;
}

static void end(FILE *f)
{
	fputs("\n]\n", f);
	if (fclose(f))
		exit(1);
}

/* Ten VNets in a hub and spokes; a /24 a subnet. */
static void subnet_prefix(unsigned s, char out[32])
{
	snprintf(out, 32, "10.%u.%u.0/24", s % 10, s / 10);
}

static void rule(FILE *f, unsigned i, unsigned subnets)
{
	static const char *const ports[] = {"22", "80", "443", "1433", "3389", "5432", "8080", "9100", "8000-8100", "*"};
	char prefix[32];
	subnet_prefix(below(subnets), prefix);
	if (!below(4))
		snprintf(prefix, sizeof prefix, "198.51.%u.%u/28", below(256), below(16) * 16);
	else if (!below(16))
		snprintf(prefix, sizeof prefix, "VirtualNetwork");
	fprintf(f,
	        "%s{\"name\":\"rule-%u\",\"priority\":%u,\"direction\":\"%s\",\"access\":\"%s\",\"protocol\":\"%s\",\"sourcePortRange\":\"*\",\"destinationPortRange\":\"%s\",\"sourceAddressPrefix\":\"%s\","
	        "\"destinationAddressPrefix\":\"%s\",\"sourceAddressPrefixes\":[],\"destinationAddressPrefixes\":[],\"sourcePortRanges\":[],\"destinationPortRanges\":[],\"provisioningState\":\"Succeeded\","
	        "\"resourceGroup\":\"rg-plant\",\"type\":\"Microsoft.Network/networkSecurityGroups/securityRules\"}",
	        i ? ",\n" : "", i, 100 + i * 10, i % 4 ? "Inbound" : "Outbound", below(5) ? "Allow" : "Deny",
	        below(4) ? "Tcp" : "*", ports[below(10)], i % 4 ? prefix : "*", i % 4 ? "*" : prefix);
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	const char *dir = argv[1];
	unsigned vms = (unsigned)atoi(argv[2]), subnets = (unsigned)atoi(argv[3]), groups = (unsigned)atoi(argv[4]),
		 rules = (unsigned)atoi(argv[5]);
	FILE *f = begin(dir, "nsgs.json");
	for (unsigned g = 0; g < groups; g++) {
		fprintf(f,
		        "%s{\"id\":\"" ID
		        "Network/networkSecurityGroups/nsg-%u\",\"name\":\"nsg-%u\",\"location\":\"westeurope\",\"resourceGroup\":\"rg-plant\",\"type\":\"Microsoft.Network/networkSecurityGroups\",\"securityRules\":[\n",
		        g ? ",\n" : "", g, g);
		for (unsigned i = 0; i < rules; i++)
			rule(f, i, subnets);
		fputs("]}", f);
	}
	end(f);
	f = begin(dir, "vnets.json");
	for (unsigned v = 0; v < 10; v++) {
		fprintf(f,
		        "%s{\"id\":\"" ID
		        "Network/virtualNetworks/vnet-%u\",\"name\":\"vnet-%u\",\"location\":\"westeurope\",\"type\":\"Microsoft.Network/virtualNetworks\",\"addressSpace\":{\"addressPrefixes\":[\"10.%u.0.0/16\"]},\"subnets\":[",
		        v ? ",\n" : "", v, v, v);
		for (unsigned s = v, n = 0; s < subnets; s += 10, n++) {
			char prefix[32];
			subnet_prefix(s, prefix);
			fprintf(f,
			        "%s{\"id\":\"" ID
			        "Network/virtualNetworks/vnet-%u/subnets/snet-%u\",\"name\":\"snet-%u\",\"addressPrefix\":\"%s\",\"networkSecurityGroup\":{\"id\":\"" ID
			        "Network/networkSecurityGroups/nsg-%u\"}}",
			        n ? ",\n" : "", v, s, s, prefix, s % groups);
		}
		fputs("],\"virtualNetworkPeerings\":[", f);
		for (unsigned o = 0, n = 0; o < 10; o++)
			if (o != v && (!o || !v))
				fprintf(f,
				        "%s{\"name\":\"to-%u\",\"peeringState\":\"Connected\",\"allowVirtualNetworkAccess\":true,\"remoteVirtualNetwork\":{\"id\":\"" ID
				        "Network/virtualNetworks/vnet-%u\"}}",
				        n++ ? "," : "", o, o);
		fputs("]}", f);
	}
	end(f);
	f = begin(dir, "nics.json");
	for (unsigned i = 0; i < vms; i++) {
		unsigned s = i % subnets;
		fprintf(f,
		        "%s{\"id\":\"" ID
		        "Network/networkInterfaces/nic-%u\",\"name\":\"nic-%u\",\"location\":\"westeurope\",\"type\":\"Microsoft.Network/networkInterfaces\",\"enableIPForwarding\":false,\"virtualMachine\":{\"id\":\"" ID
		        "Compute/virtualMachines/vm-%u\"},"
		        "\"ipConfigurations\":[{\"id\":\"" ID
		        "Network/networkInterfaces/nic-%u/ipConfigurations/ipconfig1\",\"name\":\"ipconfig1\",\"primary\":true,\"privateIPAddress\":\"10.%u.%u.%u\",\"subnet\":{\"id\":\"" ID
		        "Network/virtualNetworks/vnet-%u/subnets/snet-%u\"}",
		        i ? ",\n" : "", i, i, i, i, s % 10, s / 10, 4 + i / subnets, s % 10, s);
		if (!(i % 50))
			fprintf(f, ",\"publicIPAddress\":{\"id\":\"" ID "Network/publicIPAddresses/pip-%u\"}", i);
		fputs("}]", f);
		if (!(i % 7))
			fprintf(f, ",\"networkSecurityGroup\":{\"id\":\"" ID "Network/networkSecurityGroups/nsg-%u\"}",
			        below(groups));
		fputs("}", f);
	}
	end(f);
	f = begin(dir, "vms.json");
	for (unsigned i = 0; i < vms; i++)
		fprintf(f,
		        "%s{\"id\":\"" ID
		        "Compute/virtualMachines/vm-%u\",\"name\":\"vm-%u\",\"location\":\"westeurope\",\"type\":\"Microsoft.Compute/virtualMachines\",\"tags\":{\"environment\":\"%s\"},\"hardwareProfile\":{\"vmSize\":\"Standard_D2as_v5\"},"
		        "\"networkProfile\":{\"networkInterfaces\":[{\"id\":\"" ID
		        "Network/networkInterfaces/nic-%u\",\"primary\":true}]},\"osProfile\":{\"adminUsername\":\"operator\",\"computerName\":\"vm-%u\"}}",
		        i ? ",\n" : "", i, i, i % 3 ? "prod" : "test", i, i);
	end(f);
	f = begin(dir, "pips.json");
	for (unsigned i = 0; i < vms; i += 50)
		fprintf(f,
		        "%s{\"id\":\"" ID
		        "Network/publicIPAddresses/pip-%u\",\"name\":\"pip-%u\",\"type\":\"Microsoft.Network/publicIPAddresses\",\"ipAddress\":\"203.0.%u.%u\",\"sku\":{\"name\":\"%s\"}}",
		        i ? ",\n" : "", i, i, 113 + i / 50 / 250, i / 50 % 250, i % 100 ? "Standard" : "Basic");
	end(f);
	return 0;
}
