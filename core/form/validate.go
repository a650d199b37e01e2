package form

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// FieldError is what is wrong with one field of a submission; its text is for the
// person who filled it in.
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

// Stanza is the error that XEP-0004 §4 asks for.
func (e *FieldError) Stanza() *stanza.Error { return stanza.NotAcceptable(e.Error()) }

// Accept checks a submission against the form that asked for it, f, and gives it with
// values normalised and typed. Fields that f does not have are left out (XEP-0004 §3.1),
// fields that the submission leaves out are absent (§3.5), empty required ones are errors.
// The error is a *FieldError.
func (f *Form) Accept(answer *Form) (*Form, error) {
	out := &Form{Kind: Submit, Title: f.Title}
	for i := range f.Fields {
		ask := &f.Fields[i]
		if ask.Type == Fixed || ask.Var == "" {
			continue
		}
		got := answer.Field(ask.Var)
		if ask.Type == Hidden && len(ask.Values) > 0 {
			got = nil // what is hidden is not for the submitter to change (XEP-0004 §3.3)
		}
		if got == nil {
			if ask.Required && len(ask.Values) == 0 {
				return nil, ask.wrong("is needed")
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

func (fd *Field) wrong(problem string) error {
	return &FieldError{Var: fd.Var, Label: fd.Label, Problem: problem}
}

// Normalise checks the values that were given for a field: what Accept does for each
// field, and what a dialogue does with each answer.
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
		return nil, fd.wrong("takes one value only")
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
		return nil, fd.wrong("is needed")
	}
	if c := fd.Check; c != nil && typ == ListMulti { // XEP-0122 §3.3
		if len(values) < c.MinItems {
			return nil, fd.wrong(fmt.Sprintf("takes at least %d choices", c.MinItems))
		}
		if c.MaxItems > 0 && len(values) > c.MaxItems {
			return nil, fd.wrong(fmt.Sprintf("takes at most %d choices", c.MaxItems))
		}
	}
	return values, nil
}

func (fd *Field) value(typ FieldType, v string) (string, error) {
	switch typ {
	case Boolean:
		b, ok := ParseBool(v)
		if !ok {
			return "", fd.wrong("must be true or false")
		}
		if b {
			return "1", nil
		}
		return "0", nil
	case JIDSingle, JIDMulti:
		j, err := jid.Parse(v)
		if err != nil {
			return "", fd.wrong("is not an XMPP address")
		}
		return j.String(), nil
	case ListSingle, ListMulti:
		offered := slices.ContainsFunc(fd.Options, func(o Option) bool { return o.Value == v })
		if !offered && !fd.Check.extends() {
			return "", fd.wrong("is not one of the choices")
		}
	case TextSingle, TextPrivate:
		if strings.ContainsAny(v, "\r\n") {
			return "", fd.wrong("must be one line")
		}
	}
	if err := fd.Check.value(v); err != nil {
		return "", fd.wrong(err.Error())
	}
	return v, nil
}
