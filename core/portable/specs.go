package portable

import "github.com/dragoman-im/dragoman/core/spec"

// Specs are the extensions that the package implements.
func Specs() []spec.Spec {
	return []spec.Spec{{
		Number: "0227", Title: "Portable Import/Export Format for XMPP-IM Servers", Version: "1.1", State: spec.Partial,
		Note: "`dragoman account export` and `import`. With the nodes of accounts, without the times of their items. Of privacy lists only blocked addresses.",
	}}
}
