package outage

import (
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
)

const formType = "urn:xmpp:sos:0" // XEP-0455 §2.1

// Feature declares the feature. Without addresses it adds nothing.
func Feature(addresses []string) router.Feature {
	f := router.Feature{Name: "outage", Specs: []spec.Spec{
		{Number: "0455", Title: "Service Outage Status", Version: "0.4.0", State: spec.Complete, Note: "Server: the addresses in section status."},
	}}
	if len(addresses) == 0 {
		return f
	}
	info := form.New(form.Result, formType, "")
	info.Add(form.Field{Var: "external-status-addresses", Type: form.ListMulti, Values: addresses})
	f.HostDisco.Forms = []*form.Form{info}
	return f
}
