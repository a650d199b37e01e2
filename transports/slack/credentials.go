package slack

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// credentials are a login's secret.
type credentials struct {
	App  string `json:"app"`            // xapp-…: opens the socket
	Bot  string `json:"bot"`            // xoxb-…
	User string `json:"user,omitempty"` // xoxp-…: the person's own, optional

	Team     string `json:"team"`
	TeamName string `json:"team_name"`
	BotUser  string `json:"bot_user"` // the bot's user id
	BotID    string `json:"bot_id"`
	Self     string `json:"self"` // whom the login belongs to: the person with a user token, else the bot
}

// String keeps the tokens out of logs.
func (c credentials) String() string { return "the tokens of " + c.Self + " at " + c.TeamName }

// GoString keeps the tokens out of %#v.
func (c credentials) GoString() string { return c.String() }

func parseCredentials(secret []byte) (credentials, error) {
	var c credentials
	if err := json.Unmarshal(secret, &c); err != nil {
		return c, fmt.Errorf("read the account's tokens: %w", err)
	}
	return c, nil
}

var appToken = regexp.MustCompile(`^xapp-[0-9]+-(A[0-9A-Z]{6,15})-`)

// appID is the app that an app-level token belongs to: xapp-1-A0123456-…; "" where it is not known,
// since the rest is secret.
func (c credentials) appID() string {
	if m := appToken.FindStringSubmatch(c.App); m != nil {
		return m[1]
	}
	return ""
}
