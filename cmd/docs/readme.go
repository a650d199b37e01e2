package main

import (
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/spec"
)

const readmeHead = `# The XMPP server

[doc.go](doc.go) describes the path of a stanza through the packages. [server/features.go](server/features.go) lists the
features of a served host. [Limits](../config/LIMITS.md), [classes of vulnerabilities](VULNERABILITIES.md) and their tests, and
[what the RFCs ask for](../integration/checklist/TABLE.md) have pages of their own.

## Specifications

The server implements RFC 6120, RFC 6121 and RFC 7622. The features and packages declare the
extensions that they implement; ` + "`go run ./cmd/docs`" + ` generates this page and config/dragoman.doap from these declarations.

| specification | state | where |
| --- | --- | --- |
`

// readme returns the page about the server with the table of specifications.
func readme(specs []spec.Spec) string {
	var b strings.Builder
	b.WriteString(readmeHead)
	for _, s := range specs {
		fmt.Fprintf(&b, "| [XEP-%s](%s) %s %s | %s | %s |\n", s.Number, page(s), s.Title, s.Version, s.State, s.Note)
	}
	b.WriteString(suiteTable())
	return b.String()
}
