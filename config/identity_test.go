package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestBackends(t *testing.T) {
	t.Parallel()
	const all = "[server]\nhosts = [\"a.example\", \"b.example\"]\n[login]\n%s\n" +
		"[[ldap]]\nurl = \"ldaps://ldap.example\"\n[[oidc]]\nissuer = \"https://login.example\"\naudiences = [\"xmpp\"]\nhosts = [\"b.example\"]\n"
	for order, want := range map[string][2][]string{
		"":                                   {{"own", "ldap"}, {"own", "ldap", "oidc"}},
		`backends = ["oidc", "ldap"]`:        {{"ldap"}, {"oidc", "ldap"}},
		`backends = ["ldap", "oidc", "own"]`: {{"ldap", "own"}, {"ldap", "oidc", "own"}},
	} {
		c, err := Parse(fmt.Appendf(nil, all, order), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := c.Backends("a.example"), c.Backends("b.example"); !slices.Equal(a, want[0]) || !slices.Equal(b, want[1]) {
			t.Errorf("%s: %v, %v", order, a, b)
		}
	}
}

func TestBackendMistakes(t *testing.T) {
	t.Parallel()
	const ldap, jwt, oidc = "[[ldap]]\nurl = \"ldaps://x.example\"\n", "[[jwt]]\nissuer = \"x\"\naudiences = [\"x\"]\n",
		"[[oidc]]\nissuer = \"https://x.example\"\naudiences = [\"x\"]\n"
	for text, path := range map[string]string{
		"[[ldap]]\n": "ldap[0].url:", "[[ldap]]\nurl = \"http://x\"\n": "ldap[0].url:", "[[ldap]]\nurl = \"ldaps://x/dc=x\"\n": "ldap[0].url:",
		"[[ldap]]\nurl = \"ldap://x.example\"\nwithout_tls = true\n":              "ldap[0].without_tls:",
		ldap + "filter = \"uid=%s\"\n":                                            "ldap[0].filter:",
		ldap + "filter = \"(uid=ann)\"\n":                                         "ldap[0].filter:",
		ldap + "bind_dn = \"cn=x\"\n":                                             "ldap[0].bind_dn:",
		ldap + "vcard = \"x\"\n":                                                  "ldap[0].vcard:",
		ldap + "vcard_fields = [\"FN\"]\n":                                        "ldap[0].vcard_fields:",
		ldap + "vcard_fields = [\"TEL=x\"]\n":                                     "ldap[0].vcard_fields:",
		ldap + "vcard_fields = [\"FN=userPassword)(x\"]\n":                        "ldap[0].vcard_fields:",
		ldap + "vcard_cache = \"25h\"\n":                                          "ldap[0].vcard_cache:",
		ldap + "timeout = \"1h\"\n":                                               "ldap[0].timeout:",
		ldap + "ca = \"/nowhere\"\n":                                              "ldap[0].ca:",
		ldap + "hosts = [\"elsewhere.example\"]\n":                                "ldap[0].hosts:",
		ldap + "name = \"own\"\n":                                                 "ldap[0].name:",
		ldap + ldap:                                                               "ldap[1].name:",
		ldap + "[login]\nbackends = [\"own\"]\n":                                  "login.backends:",
		ldap + "[login]\nbackends = [\"own\", \"ldap\", \"x\"]\n":                 "login.backends:",
		ldap + "[login]\nbackends = [\"ldap\"]\n[server]\nregister = true\n":      "server.register:",
		"[[http_check]]\nurl = \"http://x.example\"\nsecret = \"s\"\n":            "http_check[0].url:",
		"[[http_check]]\nurl = \"https://x.example\"\n":                           "http_check[0].secret:",
		"[[http_check]]\nurl = \"https://x.example\"\nsecret = \"with spaces\"\n": "http_check[0].secret:",
		jwt:                           "jwt[0].keys:",
		jwt + "secret = \"short\"\n":  "jwt[0].secret:",
		jwt + "keys = \"/nowhere\"\n": "jwt[0].keys:",
		"[[jwt]]\nissuer = \"x\"\nsecret = \"0123456789abcdef0123456789abcdef\"\n": "jwt[0].audiences:",
		oidc + "client_id = \"x\"\n":                                                       "oidc[0].client_id:",
		oidc + "client_secret = \"with spaces\"\n":                                         "oidc[0].client_id:",
		oidc + "introspect = \"all\"\n":                                                    "oidc[0].introspect:",
		oidc + "introspect = \"none\"\n":                                                   "oidc[0].introspect:",
		oidc + "introspection_cache = \"1h\"\n":                                            "oidc[0].introspection_cache:",
		oidc + "recheck = \"1ms\"\n":                                                       "oidc[0].recheck:",
		"[tls]\nclient_crl = [\"/nowhere\"]\n":                                             "tls.client_crl:",
		"[[oidc]]\nissuer = \"http://x.example\"\naudiences = [\"x\"]\n":                   "oidc[0].issuer:",
		"[[oidc]]\nissuer = \"https://x.example\"\naudiences = [\"x\"]\nscope = \"a b\"\n": "oidc[0].scope:",
	} {
		_, err := Parse([]byte(text), "", nil)
		if err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "with spaces") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
