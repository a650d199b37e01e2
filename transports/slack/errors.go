package slack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/slack/webapi"
)

// relink are the errors after which a token is of no use any longer.
var relink = map[string]string{
	"invalid_auth":            "Slack does not accept the token any longer",
	"not_authed":              "Slack does not accept the token any longer",
	"token_revoked":           "the token was revoked",
	"token_expired":           "the token has expired",
	"account_inactive":        "the Slack account was deactivated, or the app was removed",
	"user_removed_from_team":  "you were removed from the workspace",
	"org_login_required":      "the workspace has moved to another organisation",
	"team_access_not_granted": "the app was not granted access to the workspace",
	"not_allowed_token_type":  "this kind of token cannot do that",
}

// refused are the errors that no repetition mends: condition and text for the sender.
var refused = map[string][2]string{
	"channel_not_found":                     {"item-not-found", "Slack knows no such channel, or it cannot be seen from this account"},
	"not_in_channel":                        {"forbidden", "this account is not in the channel: join it first"},
	"is_archived":                           {"not-allowed", "the channel is archived"},
	"msg_too_long":                          {"not-acceptable", "the message is too long for Slack"},
	"msg_blocks_too_long":                   {"not-acceptable", "the message is too long for Slack"},
	"no_text":                               {"bad-request", "the message has no text"},
	"restricted_action":                     {"forbidden", "the workspace does not allow this here"},
	"cant_update_message":                   {"forbidden", "this message cannot be edited from here"},
	"edit_window_closed":                    {"not-allowed", "the workspace does not allow edits so late"},
	"message_not_found":                     {"item-not-found", "the message is no longer there"},
	"cant_delete_message":                   {"forbidden", "this message cannot be deleted from here"},
	"user_not_found":                        {"item-not-found", "Slack knows no such person"},
	"users_not_found":                       {"item-not-found", "Slack knows no such person"},
	"user_disabled":                         {"gone", "this person's account is deactivated"},
	"cannot_dm_bot":                         {"not-allowed", "bots cannot be written to"},
	"too_many_attachments":                  {"not-acceptable", "too many attachments"},
	"method_not_supported_for_channel_type": {"not-allowed", "this kind of conversation cannot do that"},
}

// waiting are the errors that pass.
var waiting = map[string]bool{
	"ratelimited": true, "rate_limited": true, "internal_error": true, "fatal_error": true,
	"service_unavailable": true, "request_timeout": true, "team_added_to_org": true,
}

// missingScope reports that the app was not granted what a call needs, and what that is.
func missingScope(err error) (needed string, missing bool) {
	code, needed := refusal(err)
	return needed, code == "missing_scope"
}

// refusal is the code of a refusal of Slack's own and the scope that is missing: of the Web API, or of slack-go where
// that asked for a socket.
func refusal(err error) (code, needed string) {
	var own *webapi.Error
	if errors.As(err, &own) {
		return own.Code, own.Needed
	}
	var answer slackgo.SlackErrorResponse
	if errors.As(err, &answer) {
		return answer.Err, answer.Needed
	}
	if err != nil && relink[err.Error()] != "" {
		return err.Error(), ""
	}
	return "", ""
}

// status is the HTTP status of an answer that is no success, and how long Slack asks to wait.
func status(err error) (code int, after time.Duration) {
	var own *webapi.StatusError
	if errors.As(err, &own) {
		return own.Status, own.After
	}
	var limited *slackgo.RateLimitedError
	if errors.As(err, &limited) {
		return http.StatusTooManyRequests, limited.RetryAfter
	}
	var other slackgo.StatusCodeError
	if errors.As(err, &other) {
		return other.Code, 0
	}
	return 0, 0
}

// classify gives an error of a call its class.
func classify(err error) error {
	var done *transports.Error
	if err == nil || errors.As(err, &done) {
		return err
	}
	switch code, after := status(err); {
	case code == http.StatusTooManyRequests:
		return &transports.Error{Class: transports.Retry, Text: "Slack asks to wait", After: after, Unsent: true, Err: err}
	case code >= 500 || code == http.StatusRequestTimeout:
		return transports.Later(0, err)
	case code != 0:
		return transports.Refuse("undefined-condition", fmt.Sprintf("Slack answered with status %d", code), err)
	}
	if code, needed := refusal(err); code != "" {
		return classifyCode(code, needed, err)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return transports.Later(0, err)
	}
	var netErr net.Error
	if errors.As(err, &netErr) || errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "EOF") || errors.Is(err, syscall.ECONNRESET) {
		var op *net.OpError
		unsent := errors.As(err, &op) && op.Op == "dial"
		return &transports.Error{Class: transports.Retry, Text: "Slack cannot be reached", Unsent: unsent, Err: err}
	}
	// What is left is an answer that is no Slack answer: a proxy's page, cut JSON.
	return &transports.Error{Class: transports.Retry, Text: "Slack's answer makes no sense", After: time.Second, Unreadable: true, Err: err}
}

func classifyCode(code, needed string, err error) error {
	if code == "missing_scope" {
		return transports.Refuse("forbidden", scopeHelp("", needed), err)
	}
	if text, ok := relink[code]; ok {
		return transports.Relink(text, err)
	}
	if r, ok := refused[code]; ok {
		return transports.Refuse(r[0], r[1], err)
	}
	if waiting[code] {
		return transports.Later(0, err)
	}
	return transports.Refuse("undefined-condition", "Slack refuses: "+strings.ReplaceAll(code, "_", " "), err)
}
