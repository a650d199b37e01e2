package paging

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0059", Title: "Result Set Management", Version: "1.0", State: spec.Complete, Note: "Server and gateways."},
	}
}
