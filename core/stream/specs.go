package stream

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0205", Title: "Best Practices to Discourage Denial of Service Attacks", Version: "1.0.2", State: spec.Partial, Note: "Server."},
	}
}
