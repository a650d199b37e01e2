package form

import (
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of data forms.
const NS = "jabber:x:data"

// TypeVar is the hidden field with the type of a form (XEP-0068).
const TypeVar = "FORM_TYPE"

// Kind is the type attribute of a form (XEP-0004 §3.1).
type Kind string

// The kinds of forms.
const (
	Ask    Kind = "form"   // a form to fill in
	Submit Kind = "submit" // a submission
	Cancel Kind = "cancel" // a refusal to fill in the form
	Result Kind = "result" // data
)

// FieldType is the type of a field's values (XEP-0004 §3.3).
type FieldType string

// The types of fields.
const (
	Boolean     FieldType = "boolean"
	Fixed       FieldType = "fixed"
	Hidden      FieldType = "hidden"
	JIDMulti    FieldType = "jid-multi"
	JIDSingle   FieldType = "jid-single"
	ListMulti   FieldType = "list-multi"
	ListSingle  FieldType = "list-single"
	TextMulti   FieldType = "text-multi"
	TextPrivate FieldType = "text-private"
	TextSingle  FieldType = "text-single"
)

// multi reports whether a field of that type may have several values.
func (t FieldType) multi() bool {
	switch t {
	case JIDMulti, ListMulti, TextMulti, Hidden:
		return true
	}
	return false
}

func (t FieldType) list() bool { return t == ListMulti || t == ListSingle }

func (t FieldType) known() bool {
	switch t {
	case Boolean, Fixed, Hidden, JIDMulti, JIDSingle, ListMulti, ListSingle, TextMulti, TextPrivate, TextSingle:
		return true
	}
	return false
}

// Form is a data form.
type Form struct {
	Kind         Kind
	Title        string
	Instructions []string
	Fields       []Field
	Reported     []Field           // header of a table of results (XEP-0004 §3.4)
	Items        [][]Field         // rows of the table
	Other        []*stanza.Element // further elements of a form that is sent, where a specification has some
}

// Field is one field.
type Field struct {
	Var      string
	Type     FieldType // "" if a submission or a result has no type
	Label    string
	Desc     string
	Required bool
	Values   []string
	Options  []Option
	Check    *Check // XEP-0122
	Media    *Media // XEP-0221
}

// Option is one choice of a list.
type Option struct{ Label, Value string }

// New returns a form with that FORM_TYPE ("" for none).
func New(kind Kind, formType, title string) *Form {
	f := &Form{Kind: kind, Title: title}
	if formType != "" {
		f.Fields = append(f.Fields, Field{Var: TypeVar, Type: Hidden, Values: []string{formType}})
	}
	return f
}

// Add appends fields and returns f.
func (f *Form) Add(fields ...Field) *Form {
	f.Fields = append(f.Fields, fields...)
	return f
}

// Text appends a text field with one value; an empty value is none.
func (f *Form) Text(name, label, value string) *Form {
	return f.Add(Field{Var: name, Type: TextSingle, Label: label, Values: one(value)})
}

// Bool appends a boolean field.
func (f *Form) Bool(name, label string, value bool) *Form {
	v := "0"
	if value {
		v = "1"
	}
	return f.Add(Field{Var: name, Type: Boolean, Label: label, Values: []string{v}})
}

// Fixed appends text that is only shown.
func (f *Form) Fixed(text string) *Form {
	return f.Add(Field{Type: Fixed, Values: []string{text}})
}

// Choice appends a field with one value out of options.
func (f *Form) Choice(name, label, value string, options ...Option) *Form {
	return f.Add(Field{Var: name, Type: ListSingle, Label: label, Values: one(value), Options: options})
}

func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// FormType returns the value of FORM_TYPE, or "" (XEP-0068 §2).
func (f *Form) FormType() string {
	if fd := f.Field(TypeVar); fd != nil && (fd.Type == Hidden || f.Kind == Submit) {
		return fd.Value()
	}
	return ""
}

// Field returns the field with that name, or nil.
func (f *Form) Field(name string) *Field {
	if f == nil || name == "" {
		return nil
	}
	i := slices.IndexFunc(f.Fields, func(fd Field) bool { return fd.Var == name })
	if i < 0 {
		return nil
	}
	return &f.Fields[i]
}

// Has reports whether there is a field with that name. A submission without a field leaves the setting
// unchanged; an empty field clears it (XEP-0004 §3.5, §3.6).
func (f *Form) Has(name string) bool { return f.Field(name) != nil }

// Get returns the first value of a field, or "".
func (f *Form) Get(name string) string { return f.Field(name).Value() }

// Values returns all values of a field.
func (f *Form) Values(name string) []string {
	if fd := f.Field(name); fd != nil {
		return fd.Values
	}
	return nil
}

// Lines returns the values of a text-multi field as one text.
func (f *Form) Lines(name string) string { return f.Field(name).Lines() }

// IsTrue reports whether a boolean field is true; false if it is absent or not a boolean.
func (f *Form) IsTrue(name string) bool {
	v, ok := ParseBool(f.Get(name))
	return v && ok
}

// JID returns the value of a jid-single field, and false if it is absent or malformed.
func (f *Form) JID(name string) (jid.JID, bool) {
	j, err := jid.Parse(f.Get(name))
	return j, err == nil
}

// Set sets the values of a field and appends the field if necessary.
func (f *Form) Set(name string, values ...string) *Form {
	if fd := f.Field(name); fd != nil {
		fd.Values = values
		return f
	}
	return f.Add(Field{Var: name, Values: values})
}

// Value returns the first value of a field; "" for nil.
func (fd *Field) Value() string {
	if fd == nil || len(fd.Values) == 0 {
		return ""
	}
	return fd.Values[0]
}

// Lines returns the values as one text (XEP-0004 §3.3); "" for nil.
func (fd *Field) Lines() string {
	if fd == nil {
		return ""
	}
	text := ""
	for i, v := range fd.Values {
		if i > 0 {
			text += "\n"
		}
		text += v
	}
	return text
}

// OptionLabel returns the label of the option with that value, or the value itself.
func (fd *Field) OptionLabel(value string) string {
	for _, o := range fd.Options {
		if o.Value == value && o.Label != "" {
			return o.Label
		}
	}
	return value
}

// ParseBool reads an xs:boolean.
func ParseBool(s string) (value, ok bool) {
	switch s {
	case "1", "true":
		return true, true
	case "0", "false":
		return false, true
	}
	return false, false
}
