package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/dragoman-im/dragoman/transports"
)

// Codes of Discord's JSON errors that we distinguish (docs: Opcodes and Status Codes).
const (
	CodeUnknownChannel  = 10003
	CodeUnknownMessage  = 10008
	CodeUnknownEmoji    = 10014
	CodeUnknownWebhook  = 10015
	CodeTooManyHooks    = 30007
	CodeTooManyOfGuild  = 30058
	CodeMissingAccess   = 50001
	CodeMissingPerms    = 50013
	CodeBadWebhookToken = 50027
)

// NeedToken is the text where the token is not accepted.
const NeedToken = "Discord does not accept the token any longer: link again with a new one"

// relink are the errors after which the token cannot be used any longer: the text for its owner.
var relink = map[int]string{
	40001: NeedToken,
	40002: "Discord wants the account to be verified: do that at discord.com, then link again",
	50014: NeedToken,
	50025: NeedToken,
	50178: "Discord wants the account to be verified: do that at discord.com, then link again",
}

// temporary are the errors after which the call may succeed later: text, and how long to wait at least.
var temporary = map[int]struct {
	text  string
	after time.Duration
}{
	20016:  {"the channel is in slow mode", 5 * time.Second},
	20022:  {"the channel takes no more changes for now", time.Minute},
	20028:  {"the channel takes no more messages for now", 10 * time.Second},
	20029:  {"the server takes no more messages for now", 10 * time.Second},
	30046:  {"no more changes to old messages for now", 10 * time.Minute},
	40003:  {"too many conversations were opened", time.Minute},
	40004:  {"Discord takes no messages for now", time.Minute},
	40006:  {"Discord has this switched off for now", time.Minute},
	40062:  {"Discord asks to wait", time.Minute},
	40333:  {"something before Discord blocks us", time.Minute},
	110000: {"Discord is not ready", 10 * time.Second},
	110001: {"Discord is not ready", 10 * time.Second},
	130000: {"Discord is overloaded", 10 * time.Second},
}

// refused are the errors after which a repeated call fails too: condition and text for the sender.
var refused = map[int][2]string{
	CodeUnknownChannel: {"item-not-found", "Discord knows no such channel"},
	10004:              {"item-not-found", "Discord knows no such server, or the bot is not in it"},
	CodeUnknownMessage: {"item-not-found", "the message is no longer there"},
	10013:              {"item-not-found", "Discord knows no such person"},
	CodeUnknownEmoji:   {"not-acceptable", "Discord has no such emoji"},
	20009:              {"not-acceptable", "Discord does not let such content through to them"},
	30010:              {"not-allowed", "the message has as many kinds of reactions as Discord allows"},
	40005:              {"not-acceptable", "the message is too big for Discord"},
	40007:              {"forbidden", "the bot is banned from this server"},
	40058:              {"not-allowed", "a forum takes posts only: write in one of them"},
	CodeMissingAccess:  {"forbidden", "the bot does not see this channel: give it access"},
	50003:              {"not-allowed", "a direct conversation cannot do that"},
	50005:              {"forbidden", "this message is somebody else's"},
	50006:              {"bad-request", "the message has no text"},
	50007:              {"forbidden", "this person takes no messages from the bot"},
	50008:              {"not-allowed", "this channel takes no messages"},
	50009:              {"forbidden", "the server wants more of those who write there"},
	CodeMissingPerms:   {"forbidden", "the bot lacks a permission for that in this channel"},
	50021:              {"not-allowed", "Discord's own messages cannot be changed"},
	50024:              {"not-allowed", "this kind of channel cannot do that"},
	50035:              {"not-acceptable", "Discord does not take a message like this"},
	50083:              {"not-allowed", "the thread is archived"},
	50278:              {"forbidden", "this person shares no server with the bot"},
	60003:              {"forbidden", "the server wants the bot's owner to use two-factor login"},
	90001:              {"forbidden", "somebody has blocked the bot's reactions"},
	160002:             {"forbidden", "the bot needs the permission to read this channel's history"},
	160005:             {"not-allowed", "the thread is locked"},
	200000:             {"not-acceptable", "the server's automatic moderation does not let this message through"},
	240000:             {"not-acceptable", "Discord's filter for harmful links does not let this message through"},
}

// Code is Discord's own error code, 0 where there is none.
func Code(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// HookGone reports that a webhook is not there any longer, or its token not good.
func HookGone(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Code == CodeUnknownWebhook || e.Code == CodeBadWebhookToken ||
		e.Code == 0 && e.hook() && (e.Status == http.StatusUnauthorized || e.Status == http.StatusNotFound)
}

// Unreadable is the error for an answer that makes no sense, and why.
func Unreadable(why string) error {
	return &transports.Error{Class: transports.Retry, Text: "Discord's answer makes no sense", After: time.Second, Unreadable: true, Err: errors.New(why)}
}

// Classify gives an error of the API its class.
func Classify(err error) error {
	if err == nil {
		return nil
	}
	var done *transports.Error
	if errors.As(err, &done) {
		return err
	}
	var answer *Error
	if errors.As(err, &answer) {
		return classifyAnswer(answer, err)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return transports.Later(time.Second, err)
	}
	if errors.Is(err, errNonsense) {
		return Unreadable(err.Error())
	}
	var op *net.OpError
	unsent := errors.As(err, &op) && op.Op == "dial"
	return &transports.Error{Class: transports.Retry, Text: "Discord cannot be reached", Unsent: unsent, Err: err}
}

func classifyAnswer(e *Error, err error) error {
	if text, ok := relink[e.Code]; ok {
		return transports.Relink(text, err)
	}
	if p, ok := temporary[e.Code]; ok {
		return &transports.Error{Class: transports.Retry, Text: p.text, After: max(p.after, e.After), Unsent: true, Err: err}
	}
	switch {
	case HookGone(e): // with status 401 at times, but it is not the login's token
		return transports.Refuse("item-not-found", "the channel's webhook is gone", err)
	case e.Status == http.StatusUnauthorized:
		return transports.Relink(NeedToken, err)
	case e.Status == http.StatusTooManyRequests:
		return &transports.Error{Class: transports.Retry, Text: "Discord asks to wait", After: e.After, Unsent: true, Err: err}
	case e.Status >= 500 || e.Status == http.StatusRequestTimeout:
		return transports.Later(0, err)
	}
	if r, ok := refused[e.Code]; ok {
		return transports.Refuse(r[0], r[1], err)
	}
	return transports.Refuse("undefined-condition", fmt.Sprintf("Discord refuses (status %d, code %d: %s)", e.Status, e.Code, e.Message), err)
}
