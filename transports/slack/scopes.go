package slack

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/transports"
)

// need is a scope that tokens are used with.
type need struct {
	scope string
	vital bool      // nothing works without it
	only  tokenKind // "" for both kinds
}

// needs are all of them. A token that lacks a vital one cannot be linked; where another is
// missing the person is informed, and everything else works.
var needs = []need{
	{"channels:history", true, ""}, {"channels:read", true, ""}, {"chat:write", true, ""}, {"users:read", true, ""},
	{"files:read", false, ""}, {"files:write", false, ""}, {"groups:history", false, ""}, {"groups:read", false, ""}, {"im:history", false, ""},
	{"im:read", false, ""}, {"im:write", false, ""}, {"mpim:history", false, ""}, {"mpim:read", false, ""},
	{"reactions:read", false, ""}, {"reactions:write", false, ""}, {"usergroups:read", false, ""},
	{"channels:write", false, userKind}, {"users:write", false, userKind}, // reading marks, presence
	{"channels:join", false, botKind}, {"chat:write.customize", false, botKind},
}

// missingScopes compares a token's scopes (docs: Scopes, "X-OAuth-Scopes") with what we need. Where Slack does
// not send them, nothing is known to be missing.
func missingScopes(header http.Header, kind tokenKind) (vital, other []string) {
	list := header.Get("X-OAuth-Scopes")
	if list == "" {
		return nil, nil
	}
	have := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	for _, n := range needs {
		switch {
		case slices.Contains(have, n.scope) || n.only != "" && n.only != kind:
		case n.vital:
			vital = append(vital, n.scope)
		default:
			other = append(other, n.scope)
		}
	}
	return vital, other
}

// scopeHelp describes what is missing and where to get it. which is the list of scopes on Slack's page:
// "Bot Token Scopes", "User Token Scopes", "" where that is not known.
func scopeHelp(which, needed string) string {
	what := "a permission"
	if needed != "" {
		what = "the permission " + strings.ReplaceAll(needed, ",", ", ")
	}
	if which == "" {
		which = "Scopes"
	}
	return "the Slack app lacks " + what + ": add it at api.slack.com/apps → your app → OAuth & Permissions → " + which + ", then reinstall the app to the workspace"
}

// scopeList is where the scopes of this login's token are on Slack's page.
func (c credentials) scopeList() string {
	if c.kind() == userKind {
		return "User Token Scopes"
	}
	return "Bot Token Scopes"
}

// kind is the kind of token that this login uses.
func (c credentials) kind() tokenKind {
	if c.User != "" {
		return userKind
	}
	return botKind
}

// noteScopes notifies the login's owner once which scopes a token does not have; the rest works without them.
func (s *client) noteScopes(needed string) {
	transports.Notice(s.sink, "scope "+needed, scopeHelp(s.cred.scopeList(), needed)+". Until then what needs it does not work here; the rest does.")
}

// withoutScope notifies the owner where a call is refused for a scope that the token does not have.
func (s *client) withoutScope(err error) error {
	needed, missing := missingScope(err)
	if !missing {
		return err
	}
	s.noteScopes(needed)
	return transports.Refuse("forbidden", scopeHelp(s.cred.scopeList(), needed), err)
}

// socketHelp describes where Socket Mode is switched on.
const socketHelp = "see at api.slack.com/apps → your app that Socket Mode → Enable Socket Mode is on, and that the token of Basic Information → App-Level Tokens has the scope connections:write"

// socketError gives what Slack answers to a request for a socket a text.
func socketError(err error) error {
	if _, missing := missingScope(err); missing {
		return transports.Relink("the app-level token lacks the scope connections:write: make one that has it at api.slack.com/apps → your app → Basic Information → App-Level Tokens", err)
	}
	odd := err != nil && strings.Contains(err.Error(), "not_allowed_token_type") // the token's beginning was looked at
	err = classify(err)
	var e *transports.Error
	if errors.As(err, &e) && (odd || e.Class == transports.Refused) {
		return transports.Relink("Slack gives the app no connection ("+e.Text+"): "+socketHelp, e.Err)
	}
	return err
}
