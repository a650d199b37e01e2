package command

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0050", Title: "Ad-Hoc Commands", Version: "1.3.0", State: spec.Complete, Note: "Server and gateways."},
	}
}
