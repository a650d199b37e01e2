package contact

import (
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/form"
)

const formType = "http://jabber.org/network/serverinfo" // XEP-0157 §3

// Info is what the host's disco#info says: each address under every heading that people
// look for complaints and help at. Without addresses it is empty.
func Info(addresses []string) disco.Info {
	if len(addresses) == 0 {
		return disco.Info{}
	}
	f := form.New(form.Result, formType, "")
	for _, field := range []string{"abuse-addresses", "admin-addresses", "security-addresses", "support-addresses"} {
		f.Add(form.Field{Var: field, Type: form.ListMulti, Values: addresses})
	}
	return disco.Info{Forms: []*form.Form{f}}
}
