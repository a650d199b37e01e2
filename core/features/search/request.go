package search

import (
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const instructions = "Fill in one field or several. Whole words are found; end a word with * for all that begin so."

// searchForm returns the fields of a search, as elements and as a form (XEP-0055 §2.1, §3).
func searchForm() *stanza.Element {
	f := form.New(form.Ask, NS, "Search the user directory")
	f.Instructions = []string{instructions}
	query := stanza.NewElement(NS, "query").Add(stanza.TextElement(NS, "instructions", instructions))
	for i, name := range names {
		query.Add(stanza.NewElement(NS, name))
		f.Text(name, labels[i], "")
	}
	return query.Add(f.Element())
}

// request is a search.
type request struct {
	terms [fields]Term
	form  bool // it is asked by a form, and answered by one
	page  paging.Request
	paged bool
}

func parseSearch(query *stanza.Element) (r request, err error) {
	given, submitted, err := values(query, NS)
	if err != nil {
		return r, err
	}
	r.form = submitted
	some := false
	for i, v := range given {
		if r.terms[i], err = parseTerm(v); err != nil {
			return r, err
		}
		some = some || r.terms[i].Words != ""
	}
	if !some {
		return r, stanza.NotAcceptable("fill in at least one field")
	}
	r.page, r.paged, err = paging.Parse(query)
	return r, err
}

// values returns the fields of a query: of its form (XEP-0055 §3), or of its elements.
func values(query *stanza.Element, formType string) (given [fields]string, submitted bool, err error) {
	x := query.Child(form.NS, "x")
	if x == nil {
		for i, name := range names {
			given[i] = query.ChildText(query.Space, name)
		}
		return given, false, nil
	}
	f, err := form.Parse(x)
	if err != nil {
		return given, true, stanza.BadRequest("the form cannot be read")
	}
	if f.Kind != form.Submit || f.FormType() != formType {
		return given, true, stanza.BadRequest("this is another form")
	}
	for i, name := range names {
		given[i] = f.Get(name)
	}
	return given, true, nil
}

// answer returns a page of what was found. A long list is cut also where no page was asked for; the answer says so (XEP-0059 §2.1).
func (d *Search) answer(r request, found []Entry) (*stanza.Element, error) {
	page, at, err := paging.List(found, func(e Entry) string { return e.Account.String() }, r.page.Limit(d.limits.Results, d.limits.Results))
	if err != nil {
		return nil, err
	}
	if !r.paged && len(page) < len(found) {
		d.cut.Add(1)
	}
	query := stanza.NewElement(NS, "query")
	switch {
	case r.form:
		query.Add(resultForm(page).Element())
	default:
		for _, e := range page {
			query.Add(item(e))
		}
	}
	if r.paged && len(found) > 0 || len(page) < len(found) { // XEP-0059 §2.2: an empty set has no <set/>
		query.Add(at.Element())
	}
	return query, nil
}

func item(e Entry) *stanza.Element {
	x := stanza.NewElement(NS, "item").With("jid", e.Account.String())
	for i, v := range e.values() {
		x.Add(stanza.TextElement(NS, names[i], v))
	}
	return x
}

func resultForm(page []Entry) *form.Form {
	f := form.New(form.Result, NS, "")
	f.Reported = []form.Field{{Var: "jid", Type: form.JIDSingle, Label: "Address"}}
	for i, name := range names {
		f.Reported = append(f.Reported, form.Field{Var: name, Type: form.TextSingle, Label: labels[i]})
	}
	for _, e := range page {
		row := []form.Field{{Var: "jid", Values: []string{e.Account.String()}}}
		for i, v := range e.values() {
			row = append(row, form.Field{Var: names[i], Values: []string{v}})
		}
		f.Items = append(f.Items, row)
	}
	return f
}
