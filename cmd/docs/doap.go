package main

import (
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/spec"
)

// doapHead is the part of dragoman.doap about the project as a whole.
const doapHead = `<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns="http://usefulinc.com/ns/doap#"
         xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
         xmlns:xmpp="https://linkmauve.fr/ns/xmpp-doap#">
  <Project>
    <name>Dragoman</name>
    <shortdesc xml:lang="en">An XMPP server with gateways to Slack, Discord and other networks</shortdesc>
    <homepage rdf:resource="https://github.com/dragoman-im/dragoman"/>
    <license rdf:resource="https://spdx.org/licenses/MIT"/>
    <programming-language>Go</programming-language>
    <os>Linux</os>
    <category rdf:resource="https://linkmauve.fr/ns/xmpp-doap#category-server"/>
    <category rdf:resource="https://linkmauve.fr/ns/xmpp-doap#category-gateway"/>

    <implements rdf:resource="https://www.rfc-editor.org/info/rfc6120"/>
    <implements rdf:resource="https://www.rfc-editor.org/info/rfc6121"/>
    <implements rdf:resource="https://www.rfc-editor.org/info/rfc7622"/>

`

const doapSpec = `    <implements>
      <xmpp:SupportedXep>
        <xmpp:xep rdf:resource="%s"/>
        <xmpp:version>%s</xmpp:version>
        <xmpp:status>%s</xmpp:status>
        <xmpp:note xml:lang="en">%s</xmpp:note>
      </xmpp:SupportedXep>
    </implements>
`

const doapEnd = `  </Project>
</rdf:RDF>
`

// doap returns the project's description for https://xmpp.org/software/.
func doap(specs []spec.Spec) string {
	var b strings.Builder
	b.WriteString(doapHead)
	for _, s := range specs {
		fmt.Fprintf(&b, doapSpec, page(s), s.Version, s.State, escape(strings.TrimSpace(s.Title+". "+s.Note)))
	}
	b.WriteString(doapEnd)
	return b.String()
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func escape(s string) string { return escaper.Replace(s) }
