package channelsearch

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Fields of the form (XEP-0433 §6.1). sinaddr is what the example of §4.2.1 calls sinaddress.
const (
	fieldWords       = "q"
	fieldAll         = "all"
	fieldInName      = "sinname"
	fieldInText      = "sindescription"
	fieldInAddress   = "sinaddress"
	fieldInAddress2  = "sinaddr"
	fieldLeast       = "min_users"
	fieldTypes       = "types"
	fieldKey         = "key"
	typeMUC          = "xep-0045"
	byUsers          = "{" + nsOrder + "}nusers"
	byAddress        = "{" + nsOrder + "}address"
	anonymityNone    = "{" + nsPrivacy + "}none"
	anonymityPartial = "muc_semianonymous"
)

// Limits of what is searched for.
const (
	maxWords     = 10
	maxWordBytes = 500 // of all of them
)

// query is what is searched for.
type query struct {
	words   []string // in lower case; all of them must be found
	in      struct{ name, text, address bool }
	least   int // users
	types   []string
	anyType bool
	byUsers bool
}

func searchForm() *form.Form {
	f := form.New(form.Ask, nsParams, "Search for public rooms")
	f.Text(fieldWords, "Search for", "")
	f.Bool(fieldAll, "List all rooms, whatever is searched for", false)
	f.Bool(fieldInName, "Search in names", true)
	f.Bool(fieldInText, "Search in descriptions", true)
	f.Bool(fieldInAddress, "Search in addresses", true)
	f.Text(fieldLeast, "At least so many people in the room", "0")
	f.Add(form.Field{Var: fieldTypes, Type: form.ListMulti, Label: "Kinds of rooms", Values: []string{typeMUC}, Options: []form.Option{{Label: "Multi-user chats (XEP-0045)", Value: typeMUC}}})
	return f.Choice(fieldKey, "Sort by", byUsers, form.Option{Label: "Number of people", Value: byUsers}, form.Option{Label: "Address", Value: byAddress})
}

// parse reads a submitted form. What is not in it has the value of the form to fill in; unknown fields are ignored (XEP-0433 §5).
func parse(x *stanza.Element) (q query, err error) {
	f, err := form.Parse(x)
	if err != nil {
		return q, stanza.BadRequest("The form cannot be read.")
	}
	if f.Kind != form.Submit || f.FormType() != nsParams {
		return q, stanza.BadRequest("This is another form.")
	}
	address := fieldInAddress
	if !f.Has(address) {
		address = fieldInAddress2
	}
	all := false
	for _, b := range []struct {
		field string
		into  *bool
		usual bool
	}{{fieldAll, &all, false}, {fieldInName, &q.in.name, true}, {fieldInText, &q.in.text, true}, {address, &q.in.address, true}} {
		if *b.into, err = boolean(f, b.field, b.usual); err != nil {
			return q, err
		}
	}
	if q.least, err = number(f, fieldLeast); err != nil {
		return q, err
	}
	q.types, q.anyType = f.Values(fieldTypes), len(f.Values(fieldTypes)) == 0
	switch key := f.Get(fieldKey); {
	case !f.Has(fieldKey), key == byUsers:
		q.byUsers = true
	case key != byAddress: // XEP-0433 §4.2.2.2
		e := stanza.FeatureNotImplemented("Rooms are sorted by the number of people or by address.")
		e.Type = "modify"
		return q, refusal(e, "invalid-sort-key")
	}
	return q, q.setWords(f.Get(fieldWords), all)
}

// setWords reads the search terms.
func (q *query) setWords(text string, all bool) error {
	given := strings.TrimSpace(text) != ""
	switch {
	case given && all: // XEP-0433 §4.2.2.6
		return conflict("Either all rooms are listed, or those with the words.", fieldAll, fieldWords)
	case all:
		return nil
	case !given: // XEP-0433 §4.2.2.7
		e := stanza.BadRequest("Enter what is searched for, or ask for all rooms.")
		e.Type = "cancel"
		return refusal(e, "no-search-conditions")
	case !q.in.name && !q.in.text && !q.in.address:
		return conflict("Search in names, in descriptions or in addresses.", fieldInName, fieldInText, fieldInAddress)
	case len(text) > maxWordBytes || !utf8.ValidString(text):
		return refusal(stanza.BadRequest("This is too much to search for."), "invalid-search-terms")
	}
	for _, w := range strings.Fields(strings.ToLower(text)) {
		if strings.ContainsFunc(w, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r) }) {
			q.words = append(q.words, w)
		}
	}
	if len(q.words) == 0 || len(q.words) > maxWords { // XEP-0433 §4.2.2.3
		return refusal(stanza.BadRequest("Search for one to "+strconv.Itoa(maxWords)+" words with a letter or a number in each."), "invalid-search-terms")
	}
	return nil
}

// nothing reports whether no room can be found: only rooms of XEP-0045 are here, and who asks has not asked for those (XEP-0433 §6.2).
func (q *query) nothing() bool {
	if q.anyType {
		return false
	}
	for _, t := range q.types {
		if t == typeMUC {
			return false
		}
	}
	return true
}

// matches reports whether a room is one that is searched for.
func (q *query) matches(c *Channel) bool {
	if c.Users < q.least {
		return false
	}
	var name, text, address string
	if q.in.name && len(q.words) > 0 {
		name = strings.ToLower(c.Name)
	}
	if q.in.text && len(q.words) > 0 {
		text = strings.ToLower(c.Description)
	}
	if q.in.address {
		address = c.Address.String()
	}
	for _, w := range q.words {
		if !strings.Contains(name, w) && !strings.Contains(text, w) && !strings.Contains(address, w) {
			return false
		}
	}
	return true
}

func boolean(f *form.Form, name string, usual bool) (bool, error) {
	if !f.Has(name) {
		return usual, nil
	}
	v, ok := form.ParseBool(f.Get(name))
	if !ok {
		return false, stanza.BadRequest("The field " + name + " is true or false.")
	}
	return v, nil
}

func number(f *form.Form, name string) (int, error) {
	if f.Get(name) == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(f.Get(name), 10, 31)
	if err != nil {
		return 0, stanza.BadRequest("The field " + name + " is a number.")
	}
	return int(n), nil
}
