package form

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits of a parsed form. A larger one is refused.
const (
	MaxFields = 512
	MaxValues = 2048 // of all fields together, with options
	MaxItems  = 1024
	MaxBytes  = 256 << 10 // of all values together
)

// Find returns the form inside parent with that FORM_TYPE ("" for the first form), or nil if there is none
// or it is malformed.
func Find(parent *stanza.Element, formType string) *Form {
	for x := range parent.Named(NS, "x") {
		f, err := Parse(x)
		if err == nil && (formType == "" || f.FormType() == formType) {
			return f
		}
	}
	return nil
}

// Parse reads <x xmlns='jabber:x:data'/>.
func Parse(x *stanza.Element) (*Form, error) {
	if !x.Is(NS, "x") {
		return nil, stanza.BadRequest("A data form is missing.")
	}
	p := &reader{}
	f := &Form{Kind: Kind(x.Attr("type"))}
	switch f.Kind {
	case Ask, Submit, Cancel, Result:
	case "":
		f.Kind = Ask
	default:
		return nil, stanza.BadRequest(fmt.Sprintf("There is no data form of type %q.", f.Kind))
	}
	for e := range x.Elements() {
		if e.Space != NS {
			continue
		}
		switch e.Local {
		case "title":
			f.Title = p.text(e)
		case "instructions":
			f.Instructions = append(f.Instructions, p.text(e))
		case "field":
			f.Fields = append(f.Fields, p.field(e))
		case "reported":
			f.Reported = append(f.Reported, p.row(e)...)
		case "item":
			f.Items = append(f.Items, p.row(e))
		}
		if p.over || len(f.Items) > MaxItems {
			return nil, stanza.NotAcceptable("This data form is too large.")
		}
	}
	return f, nil
}

// reader parses a form and counts what it has read; over is set at a limit.
type reader struct {
	fields, values, bytes int
	over                  bool
}

func (p *reader) text(e *stanza.Element) string {
	t := e.Text()
	p.values++
	p.bytes += len(t)
	p.over = p.over || p.values > MaxValues || p.bytes > MaxBytes
	return t
}

func (p *reader) row(e *stanza.Element) []Field {
	var list []Field
	for c := range e.Named(NS, "field") {
		if p.over {
			break
		}
		list = append(list, p.field(c))
	}
	return list
}

func (p *reader) field(e *stanza.Element) Field {
	p.fields++
	p.over = p.over || p.fields > MaxFields+MaxItems
	f := Field{Var: e.Attr("var"), Type: FieldType(e.Attr("type")), Label: e.Attr("label")}
	if f.Type != "" && !f.Type.known() {
		f.Type = TextSingle // XEP-0004 §3.3
	}
	for c := range e.Elements() {
		switch {
		case p.over:
			return f
		case c.Is(NS, "value"):
			f.Values = append(f.Values, p.text(c))
		case c.Is(NS, "desc"):
			f.Desc = p.text(c)
		case c.Is(NS, "required"):
			f.Required = true
		case c.Is(NS, "option"):
			f.Options = append(f.Options, Option{Label: c.Attr("label"), Value: p.text(c.Child(NS, "value"))})
		case c.Is(NSValidate, "validate"):
			f.Check = parseCheck(c)
		case c.Is(NSMedia, "media"):
			f.Media = parseMedia(c)
		}
	}
	return f
}

// Element returns the form as XML.
func (f *Form) Element() *stanza.Element {
	x := stanza.NewElement(NS, "x").With("type", string(f.Kind))
	if f.Title != "" {
		x.Add(stanza.TextElement(NS, "title", f.Title))
	}
	for _, i := range f.Instructions {
		x.Add(stanza.TextElement(NS, "instructions", i))
	}
	for i := range f.Fields {
		x.Add(f.Fields[i].element(f.Kind))
	}
	if len(f.Reported) > 0 { // XEP-0004 §3.4: before the items
		head := stanza.NewElement(NS, "reported")
		for i := range f.Reported {
			head.Add(f.Reported[i].element(Ask))
		}
		x.Add(head)
	}
	for _, row := range f.Items {
		item := stanza.NewElement(NS, "item")
		for i := range row {
			item.Add(row[i].element(Submit))
		}
		x.Add(item)
	}
	return x.Add(f.Other...)
}

func (fd *Field) element(kind Kind) *stanza.Element {
	e := stanza.NewElement(NS, "field").With("var", fd.Var)
	typ := fd.Type
	if kind == Ask && typ == "" {
		typ = TextSingle
	}
	if kind != Submit || fd.Var == TypeVar {
		e.With("type", string(typ)).With("label", fd.Label)
	}
	if kind == Ask {
		if fd.Desc != "" {
			e.Add(stanza.TextElement(NS, "desc", fd.Desc))
		}
		if fd.Required {
			e.Add(stanza.NewElement(NS, "required"))
		}
		e.Add(fd.Check.element())
	}
	if kind != Submit {
		e.Add(fd.Media.element())
	}
	for _, v := range fd.values() {
		e.Add(stanza.TextElement(NS, "value", v))
	}
	if kind == Ask && fd.Type.list() {
		for _, o := range fd.Options {
			e.Add(stanza.NewElement(NS, "option").With("label", o.Label).Add(stanza.TextElement(NS, "value", o.Value)))
		}
	}
	return e
}

// values splits a text-multi field into lines: a value must not contain line breaks (XEP-0004 §3.3).
func (fd *Field) values() []string {
	if fd.Type != TextMulti || !strings.Contains(fd.Lines(), "\n") {
		return fd.Values
	}
	return strings.Split(fd.Lines(), "\n")
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
