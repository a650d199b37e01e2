package component

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0114", Title: "Jabber Component Protocol", Version: "1.6", State: spec.Complete, Note: "Server and gateways. Others' components here, our gateways elsewhere."},
	}
}
