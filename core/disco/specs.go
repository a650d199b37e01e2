package disco

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0030", Title: "Service Discovery", Version: "2.5.0", State: spec.Complete, Note: "Server and gateways."},
		{Number: "0115", Title: "Entity Capabilities", Version: "1.6.0", State: spec.Complete, Note: "Server and gateways."},
		{Number: "0128", Title: "Service Discovery Extensions", Version: "1.0.1", State: spec.Complete, Note: "Server and gateways."},
	}
}
