package tokencache

import (
	"slices"
	"strings"
)

// environments lists the hosts that are the same cloud: tokens and accounts of
// one are those of the other. The lists are the ones that MSAL Go is built
// with (apps/internal/oauth/ops/authority/known_metadata.go, v1.10.1). A host
// that isn't listed stands for itself.
var environments = [][]string{
	{"login.windows.net", "login.microsoftonline.com", "login.microsoft.com", "sts.windows.net"},
	{"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"},
	{"login.microsoftonline.de"},
	{"login.microsoftonline.us", "login.usgovcloudapi.net"},
	{"login-us.microsoftonline.com"},
	{"login.sovcloud-identity.fr"},
	{"login.sovcloud-identity.de"},
	{"login.sovcloud-identity.sg"},
}

var cloudOf = func() map[string]string {
	clouds := map[string]string{}
	for _, hosts := range environments {
		for _, host := range hosts {
			clouds[host] = hosts[0]
		}
	}
	return clouds
}()

// Aliases returns the hosts of the cloud that a host belongs to, itself among
// them: what one of them issued is good at each. A host that isn't known stands
// for itself alone. The result is the caller's own.
func Aliases(environment string) []string {
	for _, hosts := range environments {
		if hosts[0] == cloud(environment) {
			return slices.Clone(hosts)
		}
	}
	return []string{environment}
}

// cloud returns the host that stands for env and all its aliases.
func cloud(env string) string {
	env = strings.ToLower(env)
	if c, ok := cloudOf[env]; ok {
		return c
	}
	return env
}
