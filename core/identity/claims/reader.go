package claims

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

const (
	leeway     = time.Minute // clocks differ
	maxSubject = 255         // OpenID Connect Core §2
	maxName    = 255         // bytes of a claim that becomes a name
)

// Reader reads the claims of one issuer.
type Reader struct {
	config.Claims
	Scope string // that a token must have; "" for none
	Now   func() time.Time
}

// New returns a Reader.
func New(c config.Claims) *Reader { return &Reader{Claims: c, Now: time.Now} }

// Token is a token whose signature is right.
type Token struct {
	Type   string // of its header: typ
	Claims []byte // a JSON object
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("token: "+format+": %w", append(args, sasl.ErrRefused)...)
}

// Person checks the claims of a token and returns whose it is.
func (r *Reader) Person(t Token) (identity.Person, error) {
	var p identity.Person
	switch strings.TrimPrefix(strings.ToLower(t.Type), "application/") { // RFC 8725 §3.11
	case "", "jwt", "at+jwt": // RFC 9068 §2.1
	default:
		return p, refuse("of type %.40q", t.Type)
	}
	var all map[string]json.RawMessage // a struct would also take keys in other letters
	if err := json.Unmarshal(t.Claims, &all); err != nil {
		return p, refuse("claims are no JSON object")
	}
	for _, name := range []string{"events", "cnf"} { // a logout token (OpenID Connect Back-Channel Logout §2.4); bound to a key (RFC 7800)
		if _, ok := all[name]; ok {
			return p, refuse("has %s", name)
		}
	}
	if text(all, "iss") != r.Issuer {
		return p, refuse("of issuer %.80q", text(all, "iss"))
	}
	if !slices.ContainsFunc(list(all, "aud"), func(a string) bool { return slices.Contains(r.Audiences, a) }) {
		return p, refuse("for %.80q", list(all, "aud"))
	}
	end, err := r.valid(all)
	if err == nil && end.IsZero() {
		err = refuse("without exp")
	}
	if err != nil {
		return p, err
	}
	if r.Scope != "" && !slices.Contains(scopes(all), r.Scope) {
		return p, fmt.Errorf("%s: %w", r.Scope, sasl.ErrScope)
	}
	return r.who(all, end)
}

// valid checks the times of a token and returns its end, zero if it has none. RFC 7519 §4.1.4, §4.1.5.
func (r *Reader) valid(all map[string]json.RawMessage) (end time.Time, err error) {
	now := r.Now()
	if _, given := all["exp"]; given {
		var ok bool
		if end, ok = date(all, "exp"); !ok {
			return end, refuse("with an exp that is no time")
		}
		if !now.Before(end.Add(leeway)) {
			return end, refuse("expired at %s", end.UTC().Format(time.RFC3339))
		}
	}
	for _, name := range []string{"nbf", "iat"} {
		if _, given := all[name]; !given {
			continue
		}
		if from, ok := date(all, name); !ok || now.Before(from.Add(-leeway)) {
			return end, refuse("not valid yet by %s", name)
		}
	}
	return end, nil
}

// who returns the person of a token.
func (r *Reader) who(all map[string]json.RawMessage, end time.Time) (identity.Person, error) {
	subject, name := text(all, "sub"), text(all, r.Claim)
	switch {
	case subject == "" || len(subject) > maxSubject:
		return identity.Person{}, refuse("without sub")
	case name == "" || len(name) > maxName:
		return identity.Person{}, refuse("without %s", r.Claim)
	case r.Claim == "email" && string(all["email_verified"]) != "true": // anybody can claim an address
		return identity.Person{}, refuse("with an e-mail address that is not verified")
	}
	if r.StripDomain != "" {
		if local, domain, ok := cutLast(name, "@"); ok && strings.EqualFold(domain, r.StripDomain) {
			name = local
		}
	}
	j, err := jid.New(escape(name), "localhost", "")
	if err != nil || j.Local() == "" {
		return identity.Person{}, refuse("%s cannot be a user name", r.Claim)
	}
	// The same sub of another issuer is somebody else: the issuer of a back end may be changed.
	p := identity.Person{Subject: r.Issuer + " " + subject, Name: j.Local()}
	if r.End {
		p.Expires = end
	}
	return p, nil
}

// escape makes a localpart of a claim by XEP-0106.
func escape(claim string) string { return escapes.Replace(claim) }

var escapes = strings.NewReplacer(
	`\20`, `\5c20`, `\22`, `\5c22`, `\26`, `\5c26`, `\27`, `\5c27`, `\2f`, `\5c2f`, `\3a`, `\5c3a`, `\3c`, `\5c3c`, `\3e`, `\5c3e`, `\40`, `\5c40`, `\5c`, `\5c5c`,
	" ", `\20`, `"`, `\22`, "&", `\26`, "'", `\27`, "/", `\2f`, ":", `\3a`, "<", `\3c`, ">", `\3e`, "@", `\40`,
)

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func text(all map[string]json.RawMessage, name string) string {
	var s string
	if json.Unmarshal(all[name], &s) != nil {
		return ""
	}
	return s
}

// list returns a claim that is a string or a list of strings. RFC 7519 §4.1.3.
func list(all map[string]json.RawMessage, name string) []string {
	var l []string
	if s := text(all, name); s != "" {
		return []string{s}
	}
	if json.Unmarshal(all[name], &l) != nil {
		return nil
	}
	return l
}

// scopes returns the scopes of a token: RFC 8693 §4.2, and the form that some providers use.
func scopes(all map[string]json.RawMessage) []string {
	if s := strings.Fields(text(all, "scope")); len(s) > 0 {
		return s
	}
	if s := list(all, "scope"); len(s) > 0 {
		return s
	}
	return list(all, "scp")
}

// date returns a NumericDate. RFC 7519 §2.
func date(all map[string]json.RawMessage, name string) (time.Time, bool) {
	var seconds float64
	if raw, ok := all[name]; !ok || string(raw) == "null" || json.Unmarshal(raw, &seconds) != nil || math.Abs(seconds) > 1e12 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}
