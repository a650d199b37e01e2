package slack

import (
	"errors"
	"strings"

	"github.com/dragoman-im/dragoman/transports"
)

// tokenKind is one of the kinds of tokens that a login asks for: its key in the form.
type tokenKind string

const (
	appKind  tokenKind = "app"
	botKind  tokenKind = "bot"
	userKind tokenKind = "user"
)

// tokenKinds are the kinds of tokens by their prefixes (docs: Tokens), the longest first.
var tokenKinds = []struct {
	prefix, name string
	kind         tokenKind // "" for one that is of no use here
}{
	{"xoxe.", "a token that expires: switch token rotation off (a new app from our manifest has it off), and take the app's other tokens", ""},
	{"xoxe-", "a refresh token", ""}, {"xoxc-", "a token of Slack's own web client", ""}, {"xoxd-", "a cookie of Slack's own web client", ""},
	{"xoxs-", "an old kind of token", ""}, {"xoxa-", "an old kind of token", ""},
	{"xapp-", "an app-level token", appKind}, {"xoxb-", "a bot token", botKind}, {"xoxp-", "a user token", userKind},
}

func (k tokenKind) name() string {
	if k == appKind {
		return "the app-level token"
	}
	return "the " + string(k) + " token"
}

func (k tokenKind) prefix() string {
	for _, t := range tokenKinds {
		if t.kind == k {
			return t.prefix
		}
	}
	return ""
}

// wrong is a refusal that names the token, and never shows it.
func (k tokenKind) wrong(text string, err error) *transports.Error {
	return &transports.Error{Class: transports.Refused, Condition: "not-acceptable", Field: string(k), Text: k.name() + " " + text, Err: err}
}

// check sees by its beginning whether a token is of the kind that was asked for.
func (k tokenKind) check(token string) error {
	for _, t := range tokenKinds {
		switch {
		case !strings.HasPrefix(token, t.prefix):
		case t.kind == k:
			if strings.ContainsAny(token, " \r\n\t") {
				return k.wrong("has a space or a line break in it: copy it again", nil)
			}
			return nil
		case t.kind == "":
			return k.wrong("begins with "+k.prefix()+"; this is "+t.name, nil)
		default:
			return k.wrong("begins with "+k.prefix()+"; this is "+t.name+", which belongs in its own field", nil)
		}
	}
	return k.wrong("begins with "+k.prefix(), nil)
}

// refused turns the refusal of a token into words that name it; what passes stays as it is.
func (k tokenKind) refused(err error) error {
	var e *transports.Error
	if errors.As(err, &e) && e.Class != transports.Retry {
		return k.wrong("does not work: "+strings.TrimSuffix(e.Text, " any longer"), e.Err)
	}
	return err
}
