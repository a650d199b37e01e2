package form

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// FieldError describes what is wrong with one field of a submission. Its text is for the user who filled
// in the form.
type FieldError struct {
	Var, Label string
	Problem    string
}

func (e *FieldError) Error() string {
	name := e.Label
	if name == "" {
		name = e.Var
	}
	return fmt.Sprintf("%s: %s.", name, e.Problem)
}

// Stanza returns the error of XEP-0004 §4.
func (e *FieldError) Stanza() *stanza.Error { return stanza.NotAcceptable(e.Error()) }

// Accept checks a submission against its form f, and returns it with normalised and typed values. Fields
// that f does not have are dropped (XEP-0004 §3.1); fields missing in the submission are absent (§3.5);
// empty required fields are errors. The error is a *FieldError.
func (f *Form) Accept(answer *Form) (*Form, error) {
	out := &Form{Kind: Submit, Title: f.Title}
	for i := range f.Fields {
		ask := &f.Fields[i]
		if ask.Type == Fixed || ask.Var == "" {
			continue
		}
		got := answer.Field(ask.Var)
		if ask.Type == Hidden && len(ask.Values) > 0 {
			got = nil // a submission cannot change hidden fields (XEP-0004 §3.3)
		}
		if got == nil {
			if ask.Required && len(ask.Values) == 0 {
				return nil, ask.problem("is needed")
			}
			if ask.Required || ask.Type == Hidden {
				out.Fields = append(out.Fields, Field{Var: ask.Var, Type: ask.Type, Values: slices.Clone(ask.Values)})
			}
			continue
		}
		values, err := ask.Normalise(got.Values)
		if err != nil {
			return nil, err
		}
		out.Fields = append(out.Fields, Field{Var: ask.Var, Type: ask.Type, Label: ask.Label, Values: values})
	}
	return out, nil
}

func (fd *Field) problem(problem string) error {
	return &FieldError{Var: fd.Var, Label: fd.Label, Problem: problem}
}

// Normalise checks and normalises the values of one field. Accept calls it for each field, and a text
// dialogue for each answer.
func (fd *Field) Normalise(given []string) ([]string, error) {
	typ := fd.Type
	if typ == "" {
		typ = TextSingle
	}
	if typ == TextMulti {
		given = strings.Split(strings.Join(given, "\n"), "\n")
		if len(given) == 1 && given[0] == "" {
			given = nil
		}
	}
	if len(given) > 1 && !typ.multi() { // XEP-0004 §3.2
		return nil, fd.problem("takes one value only")
	}
	var values []string
	for _, v := range given {
		if typ != TextMulti && typ != TextPrivate && typ != Hidden {
			v = strings.TrimSpace(v)
		}
		if v == "" && typ != TextMulti && typ != Boolean {
			continue // XEP-0004 §3.6: an empty value unsets the field
		}
		v, err := fd.value(typ, v)
		if err != nil {
			return nil, err
		}
		if (typ == JIDMulti || typ == ListMulti) && slices.Contains(values, v) { // XEP-0004 §3.3
			continue
		}
		values = append(values, v)
	}
	if fd.Required && strings.Join(values, "") == "" {
		return nil, fd.problem("is needed")
	}
	if c := fd.Check; c != nil && typ == ListMulti { // XEP-0122 §3.3
		if len(values) < c.MinItems {
			return nil, fd.problem(fmt.Sprintf("takes at least %d choices", c.MinItems))
		}
		if c.MaxItems > 0 && len(values) > c.MaxItems {
			return nil, fd.problem(fmt.Sprintf("takes at most %d choices", c.MaxItems))
		}
	}
	return values, nil
}

func (fd *Field) value(typ FieldType, v string) (string, error) {
	switch typ {
	case Boolean:
		b, ok := ParseBool(v)
		if !ok {
			return "", fd.problem("must be true or false")
		}
		if b {
			return "1", nil
		}
		return "0", nil
	case JIDSingle, JIDMulti:
		j, err := jid.Parse(v)
		if err != nil {
			return "", fd.problem("is not an XMPP address")
		}
		return j.String(), nil
	case ListSingle, ListMulti:
		offered := slices.ContainsFunc(fd.Options, func(o Option) bool { return o.Value == v })
		if !offered && !fd.Check.extends() {
			return "", fd.problem("is not one of the choices")
		}
	case TextSingle, TextPrivate:
		if strings.ContainsAny(v, "\r\n") {
			return "", fd.problem("must be one line")
		}
	}
	if err := fd.Check.value(v); err != nil {
		return "", fd.problem(err.Error())
	}
	return v, nil
}
