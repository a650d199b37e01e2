package slack

import (
	"encoding/json"
	"fmt"
	"strings"
)

// credentials are an account's secret.
type credentials struct {
	App  string `json:"app"`            // xapp-…: opens the socket
	Bot  string `json:"bot"`            // xoxb-…
	User string `json:"user,omitempty"` // xoxp-…: the person's own, optional

	Team     string `json:"team"`
	TeamName string `json:"team_name"`
	BotUser  string `json:"bot_user"` // the bot's user id
	BotID    string `json:"bot_id"`
	Self     string `json:"self"` // whose account this is: the person with a user token, else the bot
}

func parseCredentials(secret []byte) (credentials, error) {
	var c credentials
	if err := json.Unmarshal(secret, &c); err != nil {
		return c, fmt.Errorf("read the account's tokens: %w", err)
	}
	return c, nil
}

// appID is the app that an app-level token belongs to: xapp-1-A0123-….
func (c credentials) appID() string {
	parts := strings.Split(c.App, "-")
	if len(parts) > 2 {
		return parts[2]
	}
	return ""
}
