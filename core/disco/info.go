package disco

import (
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of the two queries.
const (
	NSInfo  = "http://jabber.org/protocol/disco#info"
	NSItems = "http://jabber.org/protocol/disco#items"
)

// Identity is the category and type of an entity (XEP-0030 §3.1).
type Identity struct{ Category, Type, Lang, Name string }

// Info describes an entity.
type Info struct {
	Identities []Identity
	Features   []string
	Forms      []*form.Form // XEP-0128; of kind Result, each with a FORM_TYPE
}

// Has reports whether a feature is advertised.
func (i Info) Has(feature string) bool { return slices.Contains(i.Features, feature) }

// add returns i with more appended, without duplicates.
func (i Info) add(more Info) Info {
	out := Info{
		Identities: slices.Clone(i.Identities), Features: slices.Clone(i.Features), Forms: slices.Clone(i.Forms),
	}
	for _, d := range more.Identities {
		if !slices.Contains(out.Identities, d) {
			out.Identities = append(out.Identities, d)
		}
	}
	out.Features = append(out.Features, more.Features...)
	for _, f := range more.Forms {
		same := func(g *form.Form) bool { return g.FormType() == f.FormType() }
		if !slices.ContainsFunc(out.Forms, same) {
			out.Forms = append(out.Forms, f)
		}
	}
	return out
}

// Element returns the answer to disco#info. Features are sorted and without duplicates.
func (i Info) Element(node string) *stanza.Element {
	x := stanza.NewElement(NSInfo, "query").With("node", node)
	for _, d := range i.Identities {
		e := stanza.NewElement(NSInfo, "identity").With("category", d.Category).With("type", d.Type).With("name", d.Name)
		if d.Lang != "" {
			e.Attrs = append(e.Attrs, stanza.Attr{Space: stanza.NSXML, Local: "lang", Value: d.Lang})
		}
		x.Add(e)
	}
	features := slices.Clone(i.Features)
	slices.Sort(features)
	for _, f := range slices.Compact(features) {
		x.Add(stanza.NewElement(NSInfo, "feature").With("var", f))
	}
	for _, f := range i.Forms {
		x.Add(f.Element())
	}
	return x
}

// compare orders identities (XEP-0115 §5.1).
func (d Identity) compare(o Identity) int {
	for _, c := range []int{
		strings.Compare(d.Category, o.Category), strings.Compare(d.Type, o.Type),
		strings.Compare(d.Lang, o.Lang), strings.Compare(d.Name, o.Name),
	} {
		if c != 0 {
			return c
		}
	}
	return 0
}
