package transports

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

// Login is a linked account on a network, as the bridge keeps it.
type Login struct {
	ID    LoginID
	User  UserID // who this login is on the network
	Name  string // what to call it: "ann at Acme"
	Owner OwnerID
	// Secret is the network's own credentials, sealed by the bridge at rest and never logged.
	Secret []byte
	// State is what the client asked to have kept (Sink.Save), such as a resume token; not secret.
	State json.RawMessage
}

// String keeps secrets out of logs.
func (l Login) String() string { return string(l.ID) + " (" + l.Name + ")" }

// GoString keeps secrets out of %#v.
func (l Login) GoString() string { return l.String() }

// LoginFlow is a kind of dialogue by which a login is linked.
type LoginFlow struct {
	ID   string // "token"
	Name string // "Paste the app's tokens"
	Help string // what the person needs before they start
}

// LoginRequest is what a login begins with.
type LoginRequest struct {
	Flow  string // LoginFlow.ID
	Owner OwnerID
	// Previous is the login to relink, without its secret, or nil. A relink must refuse another person's credentials.
	Previous *Login
}

// LoginProcess is a dialogue that ends with a login.
//
// It may end with a connection that is open already. The network then keeps that connection, and
// the next Open of a login of the same user and owner takes it over.
type LoginProcess interface {
	// Next takes the answers to the last step (nil at first) and returns the next one. After a step
	// that waits (QR, Wait, Emoji) it blocks until the other side has acted or ctx has ended. An end of
	// ctx leaves the process where it was: Next may be called again.
	//
	// An error of class Refused has a text for the person, who may answer again unless Error.Final is set.
	Next(ctx context.Context, answers map[string]string) (Step, error)
	// Cancel frees what the dialogue holds and ends a Next that blocks. It may be called at any time, also after Done.
	Cancel()
}

// LoginVerifier is a LoginProcess that can check one answer of the current step before the others are given. An error of class
// Refused has a text for the person, who may answer again; any other error means that it is not known.
type LoginVerifier interface {
	Verify(ctx context.Context, key, answer string) error
}

// LoginRewinder is a LoginProcess that can go back to its previous step, where Step.Back is set.
type LoginRewinder interface {
	Back(ctx context.Context) (Step, error)
}

// Step is what a login wants next. Exactly one of the fields from Form to Done is set.
type Step struct {
	Text string // shown above

	Form    []Field        // ask these
	Cookies *CookieRequest // log in at a page and give back its cookies
	Browser string         // open this URL, come back and answer with nothing
	QR      string         // scan this text; Next blocks
	Code    string         // enter this code at the network, come back and answer with nothing
	Emoji   []string       // compare these with what the network shows; Next blocks
	Wait    bool           // nothing to do; Next blocks
	// Unsupported names a step that the network wants and this contract has no form for, such as
	// "a passkey". The process is over: the person is informed of that.
	Unsupported string
	Done        *Login

	Back bool // the process is a LoginRewinder and can go back from here
}

// Fields are what a step asks for, in a form or as cookies.
func (s Step) Fields() []Field {
	if s.Cookies == nil {
		return s.Form
	}
	fields := make([]Field, len(s.Cookies.Fields))
	for i, c := range s.Cookies.Fields {
		fields[i] = c.Field
		fields[i].Secret = true
	}
	return fields
}

// Waits reports whether the next call of Next blocks until something has happened.
func (s Step) Waits() bool { return s.Wait || s.QR != "" || len(s.Emoji) > 0 }

// FieldType is what kind of value a Field asks for. It may change what keyboard or form a client shows.
type FieldType string

// The types of fields.
const (
	FieldText     FieldType = "" // one line
	FieldLines    FieldType = "lines"
	FieldBool     FieldType = "bool" // the answer is "true" or "false"
	FieldPassword FieldType = "password"
	FieldToken    FieldType = "token"
	FieldCode     FieldType = "code" // of a second factor
	FieldEmail    FieldType = "email"
	FieldPhone    FieldType = "phone"
	FieldURL      FieldType = "url"
	FieldDomain   FieldType = "domain"
	FieldUser     FieldType = "user" // a person of the network: the bridge gives the UserID
	FieldRoom     FieldType = "room" // a room of the network: the bridge gives the RoomID
)

// Field is one thing that a login, a command or a new group asks for.
type Field struct {
	Key      string
	Label    string
	Help     string
	Type     FieldType
	Pattern  string // a regular expression (RE2) that the whole answer must match; "" for none
	Secret   bool   // shown as text-private, never logged
	Optional bool
	Default  string
	Choices  []string // where not empty, one of these
}

// Check finds what is wrong with an answer: an Error of class Refused.
func (f Field) Check(answer string) error {
	wrong := func(text string) error { return &Error{Class: Refused, Text: text, Field: f.Key} }
	switch {
	case answer == "" && !f.Optional && f.Type != FieldBool:
		return wrong("this is needed")
	case answer == "":
		return nil
	case len(f.Choices) > 0 && !slices.Contains(f.Choices, answer):
		return wrong("this is none of the choices")
	}
	if f.Pattern != "" {
		pattern, err := regexp.Compile("^(?:" + f.Pattern + ")$")
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Key, err)
		}
		if !pattern.MatchString(answer) {
			return wrong("this does not have the form that is wanted")
		}
	}
	return nil
}

// CookieRequest asks for values of a web page at which the person logs in.
type CookieRequest struct {
	URL       string
	UserAgent string // that the page needs; "" for any
	// Until is a regular expression that the page's address matches when the login there is complete.
	Until  string
	Fields []CookieField
	// Script is JavaScript that resolves to an object of the fields' keys, for those who show the page themselves.
	Script string
}

// CookieField is one value, under its Key in the answers.
type CookieField struct {
	Field
	Source CookieSource
	Name   string // of the cookie, the header or the storage's key
	Domain string // of the cookie; "" for that of the URL
	// Request is a regular expression of the addresses whose requests have the value, for SourceHeader and SourceBody.
	Request string
}

// CookieSource is where a page has a value.
type CookieSource string

// The sources of values.
const (
	SourceCookie  CookieSource = "cookie"
	SourceStorage CookieSource = "local_storage"
	SourceHeader  CookieSource = "request_header"
	SourceBody    CookieSource = "request_body"
)
