package archive

import (
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// form is the query form (XEP-0313 §4.1.5).
func (e *Engine) form(room bool) *form.Form {
	f := form.New(form.Ask, NS, "")
	f.Add(
		form.Field{Var: "with", Type: form.JIDSingle},
		form.Field{Var: "start", Type: form.TextSingle},
		form.Field{Var: "end", Type: form.TextSingle},
		form.Field{Var: "before-id", Type: form.TextSingle},
		form.Field{Var: "after-id", Type: form.TextSingle},
		form.Field{Var: "ids", Type: form.ListMulti, Check: &form.Check{Datatype: "xs:string", Open: true}},
	)
	if !room {
		f.Add(form.Field{Var: "include-groupchat", Type: form.Boolean})
	}
	if e.opts.Search {
		f.Add(form.Field{Var: fieldText, Type: form.TextSingle, Label: "Words in the text"})
	}
	return f
}

const fieldText = "{" + nsFullText + "}fulltext" // XEP-0431 §3.1

// filter reads the submitted form (XEP-0313 §4.1).
func (e *Engine) filter(r Request, x *stanza.Element) (Filter, error) {
	sub := x.Child(form.NS, "x")
	if sub == nil {
		return Filter{}, nil
	}
	given, err := form.Parse(sub)
	if err != nil {
		return Filter{}, err
	}
	if given.Kind != form.Submit || given.FormType() != NS {
		return Filter{}, stanza.BadRequest("A query is a submitted form of type " + NS + ".")
	}
	asked := e.form(r.Room)
	for _, fd := range given.Fields {
		if !asked.Has(fd.Var) { // XEP-0313 §4.1.5
			return Filter{}, stanza.FeatureNotImplemented("The archive cannot be searched by " + fd.Var + ".")
		}
	}
	f, err := asked.Accept(given)
	if err != nil {
		var wrong *form.FieldError
		if errors.As(err, &wrong) {
			return Filter{}, stanza.BadRequest(wrong.Error())
		}
		return Filter{}, err
	}
	return e.read(r, f)
}

func (e *Engine) read(r Request, f *form.Form) (Filter, error) {
	out := Filter{AfterID: f.Get("after-id"), BeforeID: f.Get("before-id"), IDs: f.Values("ids")}
	for _, id := range append([]string{out.AfterID, out.BeforeID}, out.IDs...) {
		if len(id) > paging.MaxID {
			return Filter{}, stanza.ItemNotFound("There is no such message in the archive.")
		}
	}
	if len(out.IDs) > maxIDs {
		return Filter{}, stanza.PolicyViolation("Too many messages are asked for at once.")
	}
	var err error
	if out.Start, err = moment(f, "start"); err != nil {
		return Filter{}, err
	}
	if out.End, err = moment(f, "end"); err != nil {
		return Filter{}, err
	}
	if f.Get("with") != "" {
		out.With, _ = jid.Parse(f.Get("with"))                     // checked by Accept
		if r.Room && !r.SeesJIDs && out.With.Bare() != r.Archive { // XEP-0313 §4.1.1
			return Filter{}, stanza.Forbidden("The real addresses of this room are hidden.")
		}
	}
	if v, ok := form.ParseBool(f.Get("include-groupchat")); ok {
		out.Groupchat = &v // XEP-0313 §4.1.4
	}
	if text := f.Get(fieldText); text != "" { // XEP-0431 §2.2
		words, err := search.Parse(text)
		if err != nil {
			return Filter{}, stanza.PolicyViolation("Too many words are searched for at once.")
		}
		out.Words = &words
	}
	return out, nil
}

// moment reads a XEP-0082 DateTime, of the years that a store can hold.
func moment(f *form.Form, name string) (time.Time, error) {
	v := f.Get(name)
	if v == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, stanza.BadRequest(name + " is no date and time.")
	}
	return t.UTC(), nil
}
