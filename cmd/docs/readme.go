package main

import (
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/spec"
)

const readmeHead = `# The XMPP server

doc.go in this folder follows a stanza through the packages. server/features.go lists the features of a served host.

## Specifications

The server implements RFC 6120, RFC 6121 and RFC 7622. The extensions below are declared in the code, by the
features and packages that implement them; ` + "`go run ./cmd/docs`" + ` makes this page and config/dragoman.doap from that.

| specification | state | where |
| --- | --- | --- |
`

// readme is the page about the server, with the table of specifications.
func readme(specs []spec.Spec) string {
	var b strings.Builder
	b.WriteString(readmeHead)
	for _, s := range specs {
		fmt.Fprintf(&b, "| [XEP-%s](%s) %s %s | %s | %s |\n", s.Number, page(s), s.Title, s.Version, s.State, s.Note)
	}
	return b.String()
}
