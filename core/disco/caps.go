package disco

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NSCaps is the namespace of entity capabilities.
const NSCaps = "http://jabber.org/protocol/caps"

// Caps is what an entity puts into its presence (XEP-0115 §4).
type Caps struct {
	Node string // of the software
	Hash string // sha-1, sha-256 …
	Ver  string // the verification string
}

// ParseCaps reads <c/> out of a presence or of stream features; false where there is
// none of the current format.
func ParseCaps(parent *stanza.Element) (Caps, bool) {
	e := parent.Child(NSCaps, "c")
	c := Caps{Node: e.Attr("node"), Hash: e.Attr("hash"), Ver: e.Attr("ver")}
	const longest = 1024
	if c.Hash == "" || c.Ver == "" || len(c.Node)+len(c.Hash)+len(c.Ver) > longest { // XEP-0115 §5.4
		return Caps{}, false
	}
	return c, true
}

// Element is the capabilities as XML.
func (c Caps) Element() *stanza.Element {
	return stanza.NewElement(NSCaps, "c").With("hash", c.Hash).With("node", c.Node).With("ver", c.Ver)
}

// InfoNode is the node to ask for with disco#info (XEP-0115 §6.2).
func (c Caps) InfoNode() string { return c.Node + "#" + c.Ver }

// Caps makes the capabilities of an entity that says i of itself.
func (i Info) Caps(node string) Caps {
	ver, _ := i.Ver("sha-1") // the mandatory hash (XEP-0115 §8.1)
	return Caps{Node: node, Hash: "sha-1", Ver: ver}
}

var hashes = map[string]func() hash.Hash{
	"sha-1": sha1.New, "sha-224": sha256.New224, "sha-256": sha256.New, "sha-384": sha512.New384, "sha-512": sha512.New,
}

// Ver is the verification string by one of the hashes of IANA's registry (XEP-0115 §5.1).
func (i Info) Ver(algorithm string) (string, error) {
	h := hashes[algorithm]
	if h == nil {
		return "", fmt.Errorf("hash %q is not supported", algorithm)
	}
	sum := h()
	sum.Write([]byte(i.verString()))
	return base64.StdEncoding.EncodeToString(sum.Sum(nil)), nil
}

func (i Info) verString() string {
	var b strings.Builder
	add := func(s string) { b.WriteString(s); b.WriteByte('<') }
	for _, d := range slices.SortedFunc(slices.Values(i.Identities), Identity.compare) {
		add(d.Category + "/" + d.Type + "/" + d.Lang + "/" + d.Name)
	}
	for _, f := range slices.Sorted(slices.Values(i.Features)) {
		add(f)
	}
	forms := slices.Clone(i.Forms)
	forms = slices.DeleteFunc(forms, func(f *form.Form) bool { return f.FormType() == "" }) // XEP-0115 §5.4
	slices.SortStableFunc(forms, func(a, b *form.Form) int { return strings.Compare(a.FormType(), b.FormType()) })
	for _, f := range forms {
		add(f.FormType())
		fields := slices.Clone(f.Fields)
		slices.SortStableFunc(fields, func(a, b form.Field) int { return strings.Compare(a.Var, b.Var) })
		for _, fd := range fields {
			if fd.Var == form.TypeVar {
				continue
			}
			add(fd.Var)
			for _, v := range slices.Sorted(slices.Values(fd.Values)) {
				add(v)
			}
		}
	}
	return b.String()
}

// Verify tells whether an answer to disco#info is what the capabilities promise
// (XEP-0115 §5.4). Only then may it be kept for others who say the same.
func (c Caps) Verify(i Info) error {
	if err := i.wellFormed(); err != nil {
		return err
	}
	ver, err := i.Ver(c.Hash)
	if err != nil {
		return err
	}
	if ver != c.Ver {
		return fmt.Errorf("capabilities hash to %q, not to %q", ver, c.Ver)
	}
	return nil
}

// wellFormed refuses what XEP-0115 §5.4 calls ill-formed, and '<' in any text, with which
// one answer could hash like another.
func (i Info) wellFormed() error {
	identities := map[Identity]bool{}
	for _, d := range i.Identities {
		if identities[d] {
			return fmt.Errorf("identity %v twice", d)
		}
		identities[d] = true
		// A category such as "http:" is a feature in disguise: both hash alike.
		if d.Category == "" || d.Type == "" || strings.Contains(d.Category+d.Type+d.Lang+d.Name, "<") ||
			strings.ContainsAny(d.Category+d.Type+d.Lang, "/:") {
			return fmt.Errorf("identity %v is ambiguous", d)
		}
	}
	features := map[string]bool{}
	for _, f := range i.Features {
		if features[f] || strings.Contains(f, "<") {
			return fmt.Errorf("feature %q twice or ambiguous", f)
		}
		features[f] = true
	}
	types := map[string]bool{}
	for _, f := range i.Forms {
		typ := f.FormType()
		if typ == "" {
			continue // ignored (XEP-0115 §5.4)
		}
		if types[typ] || !same(f.Values(form.TypeVar)) || strings.Contains(typ, "<") {
			return fmt.Errorf("form %q twice or ambiguous", typ)
		}
		types[typ] = true
		if err := unambiguous(f); err != nil {
			return err
		}
	}
	return nil
}

func unambiguous(f *form.Form) error {
	seen := map[string]bool{}
	for _, fd := range f.Fields {
		if seen[fd.Var] {
			return fmt.Errorf("field %q twice", fd.Var)
		}
		seen[fd.Var] = true
		for _, v := range append([]string{fd.Var}, fd.Values...) {
			if strings.Contains(v, "<") {
				return fmt.Errorf("field %q is ambiguous", fd.Var)
			}
		}
	}
	return nil
}

// hashed is what of i the verification string covers: nothing else may be kept of it.
func (i Info) hashed() Info {
	out := Info{Identities: slices.Clone(i.Identities), Features: slices.Clone(i.Features)}
	for _, f := range i.Forms {
		if f.FormType() == "" {
			continue
		}
		g := form.New(form.Result, f.FormType(), "")
		for _, fd := range f.Fields {
			if fd.Var != form.TypeVar {
				g.Add(form.Field{Var: fd.Var, Values: slices.Clone(fd.Values)})
			}
		}
		out.Forms = append(out.Forms, g)
	}
	return out
}

func same(values []string) bool {
	for _, v := range values {
		if v != values[0] {
			return false
		}
	}
	return true
}
