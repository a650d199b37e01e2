package xmltree

import (
	"encoding/xml"
	"sort"
	"strings"
)

// Namespaces that the trees and their comparison know.
const (
	// MatchSpace is the namespace of the marks in expectations.
	MatchSpace = "match"
	// XMLSpace is what the prefix xml is bound to.
	XMLSpace = "http://www.w3.org/XML/1998/namespace"
)

// Element is one element with all that is in it. Text is its character data put together;
// white space between child elements is left out.
type Element struct {
	Name     xml.Name
	Attrs    map[xml.Name]string
	Children []*Element
	Text     string
}

// Attr is the value of an attribute without a namespace, or "".
func (e *Element) Attr(name string) string {
	return e.Attrs[xml.Name{Local: name}]
}

// Child is the first child of that name, or nil. An empty space means any.
func (e *Element) Child(space, local string) *Element {
	for _, c := range e.Children {
		if c.Name.Local == local && (space == "" || c.Name.Space == space) {
			return c
		}
	}
	return nil
}

// Find walks from e along local names and returns the first element at the end of the
// way, or nil.
func (e *Element) Find(path ...string) *Element {
	for _, local := range path {
		if e == nil {
			return nil
		}
		e = e.Child("", local)
	}
	return e
}

// ChildText is the text of the first child of that local name, or "".
func (e *Element) ChildText(local string) string {
	if c := e.Child("", local); c != nil {
		return c.Text
	}
	return ""
}

// String writes the tree for a person: one namespace declaration where it changes.
func (e *Element) String() string {
	var b strings.Builder
	e.write(&b, "", 0)
	return b.String()
}

func (e *Element) write(b *strings.Builder, space string, depth int) {
	indent := strings.Repeat("  ", depth)
	b.WriteString(indent + "<" + e.Name.Local)
	if e.Name.Space != space {
		b.WriteString(` xmlns="` + escape(e.Name.Space) + `"`)
	}
	for _, name := range e.attrNames() {
		b.WriteString(" " + shortName(name) + `="` + escape(e.Attrs[name]) + `"`)
	}
	switch {
	case len(e.Children) > 0:
		b.WriteString(">")
		if e.Text != "" {
			b.WriteString(escape(e.Text))
		}
		for _, c := range e.Children {
			b.WriteString("\n")
			c.write(b, e.Name.Space, depth+1)
		}
		b.WriteString("\n" + indent + "</" + e.Name.Local + ">")
	case e.Text != "":
		b.WriteString(">" + escape(e.Text) + "</" + e.Name.Local + ">")
	default:
		b.WriteString("/>")
	}
}

func (e *Element) attrNames() []xml.Name {
	names := make([]xml.Name, 0, len(e.Attrs))
	for name := range e.Attrs {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		if names[i].Space != names[j].Space {
			return names[i].Space < names[j].Space
		}
		return names[i].Local < names[j].Local
	})
	return names
}

func shortName(name xml.Name) string {
	switch name.Space {
	case "":
		return name.Local
	case XMLSpace:
		return "xml:" + name.Local
	case MatchSpace:
		return "match:" + name.Local
	}
	return "{" + name.Space + "}" + name.Local
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")

func escape(s string) string { return escaper.Replace(s) }
