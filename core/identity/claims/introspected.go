package claims

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// Introspected reads what an issuer has answered to a question about a token (RFC 7662 §2.2), and when the token ends; zero: it is not said.
// An error that is not sasl.ErrRefused means that it is no such answer.
func (r *Reader) Introspected(answer []byte) (p identity.Person, end time.Time, err error) {
	var all map[string]json.RawMessage // a struct would also take keys in other letters
	var active bool
	if err := json.Unmarshal(answer, &all); err != nil || json.Unmarshal(all["active"], &active) != nil {
		return p, end, errors.New("the provider's answer about a token is not the JSON object that is wanted") // without its text, which may have anything in it
	}
	if !active {
		return p, end, refuse("not active")
	}
	if kind := strings.ToLower(text(all, "token_type")); kind != "" && kind != "bearer" && kind != "access_token" { // as some providers call it
		return p, end, refuse("of type %.40q", kind)
	}
	if use := text(all, "token_use"); use != "" && use != "access_token" { // a refresh token
		return p, end, refuse("for use as %.40q", use)
	}
	if _, ok := all["cnf"]; ok { // bound to a key: RFC 7800
		return p, end, refuse("has cnf")
	}
	if issuer := text(all, "iss"); issuer != "" && issuer != r.Issuer {
		return p, end, refuse("of issuer %.80q", issuer)
	}
	if !slices.ContainsFunc(r.intended(all), func(a string) bool { return slices.Contains(r.Audiences, a) }) {
		return p, end, refuse("for %.80q", r.intended(all))
	}
	if end, err = r.valid(all); err != nil {
		return p, end, err
	}
	if r.Scope != "" && !slices.Contains(scopes(all), r.Scope) {
		return p, end, fmt.Errorf("%s: %w", r.Scope, sasl.ErrScope)
	}
	if r.Claim == "preferred_username" && text(all, r.Claim) == "" { // RFC 7662 §2.2 has a name of its own for it
		all[r.Claim] = all["username"]
	}
	p, err = r.who(all, end)
	return p, end, err
}

// intended returns for whom a token is. Where an answer has no aud, the token must at least have been issued to a client that is an
// audience: any other client's tokens would be accepted.
func (r *Reader) intended(all map[string]json.RawMessage) []string {
	if a := list(all, "aud"); len(a) > 0 {
		return a
	}
	return list(all, "client_id")
}
