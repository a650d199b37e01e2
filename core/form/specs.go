package form

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{
		{Number: "0004", Title: "Data Forms", Version: "2.13.2", State: spec.Complete, Note: "Server and gateways. Forms for linking accounts, commands and room settings."},
		{Number: "0068", Title: "Field Standardization for Data Forms", Version: "1.3.0", State: spec.Complete, Note: "Server and gateways."},
		{Number: "0122", Title: "Data Forms Validation", Version: "1.0.2", State: spec.Partial, Note: "Gateways."},
		{Number: "0221", Title: "Data Forms Media Element", Version: "1.0", State: spec.Complete, Note: "Gateways."},
	}
}
