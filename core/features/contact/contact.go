package contact

import (
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
)

const formType = "http://jabber.org/network/serverinfo" // XEP-0157 §3

// Feature declares the feature: the host's disco#info lists each address for abuse, administration,
// security and support, and has the fields of other features with the same form. Without any it adds nothing.
func Feature(addresses []string, more ...form.Field) router.Feature {
	f := router.Feature{Name: "contact", Specs: []spec.Spec{
		{Number: "0157", Title: "Contact Addresses for XMPP Services", Version: "1.1.1", State: spec.Complete, Note: "Server."},
	}}
	if len(addresses) == 0 && len(more) == 0 {
		return f
	}
	info := form.New(form.Result, formType, "")
	if len(addresses) > 0 {
		for _, field := range []string{"abuse-addresses", "admin-addresses", "security-addresses", "support-addresses"} {
			info.Add(form.Field{Var: field, Type: form.ListMulti, Values: addresses})
		}
	}
	for _, field := range more {
		info.Add(field)
	}
	f.HostDisco.Forms = []*form.Form{info}
	return f
}
