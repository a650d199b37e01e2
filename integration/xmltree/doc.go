// Package xmltree reads XML streams into plain trees and compares a tree with an
// expectation that holds wildcards. It is written on encoding/xml's tokens and shares
// nothing with the server's own scanner, so that a mistake there is seen here.
//
// A received tree is compared by expanded names: prefixes, the order of attributes and
// where a namespace was declared do not matter. All else does: an attribute or a child
// that the expectation does not name is a difference, unless the expectation carries one
// of these marks (namespace "match", bound to the prefix match in scenarios):
//
//	match:more="yes"      on an element: further attributes and children may be there
//	match:optional="yes"  on an element: it may be missing
//	match:order="any"     on an element: its children may come in any order
//
// Values may hold {any} (something or nothing), {name} (captured when first met, compared
// from then on), and an attribute may be {any?} (it may be missing). A brace that means
// itself is written twice.
//
// Nothing here starts a goroutine; a Decoder belongs to one reader.
package xmltree
