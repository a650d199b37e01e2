package discord

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
)

// Codes of Discord's JSON errors that we tell apart (docs: Opcodes and Status Codes).
const (
	codeUnknownChannel = 10003
	codeUnknownMessage = 10008
	codeUnknownUser    = 10013
	codeUnknownWebhook = 10015
	codeTooManyHooks   = 30007
	codeUnauthorized   = 40001
	codeMissingAccess  = 50001
	codeEmptyMessage   = 50006
	codeCannotMessage  = 50007
	codeMissingPerms   = 50013
	codeNotTheAuthor   = 50005
	codeInvalidForm    = 50035
	codeThreadArchived = 50083
	codeSlowmode       = 20016
)

var refused = map[int][2]string{
	codeUnknownChannel: {"item-not-found", "Discord knows no such channel"},
	codeUnknownMessage: {"item-not-found", "the message is no longer there"},
	codeUnknownUser:    {"item-not-found", "Discord knows no such person"},
	codeMissingAccess:  {"forbidden", "the bot does not see this channel: give it access"},
	codeEmptyMessage:   {"bad-request", "the message has no text"},
	codeCannotMessage:  {"forbidden", "this person takes no messages from the bot"},
	codeMissingPerms:   {"forbidden", "the bot lacks a permission for that in this channel"},
	codeNotTheAuthor:   {"forbidden", "this message is somebody else's"},
	codeInvalidForm:    {"not-acceptable", "Discord does not take a message like this"},
	codeThreadArchived: {"not-allowed", "the thread is archived"},
}

// code is Discord's own error code, 0 where there is none.
func code(err error) int {
	var rest *discordgo.RESTError
	if errors.As(err, &rest) && rest.Message != nil {
		return rest.Message.Code
	}
	return 0
}

// classify gives an error of discordgo its class.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var done *transports.Error
	if errors.As(err, &done) {
		return err
	}
	var limited *discordgo.RateLimitError
	if errors.As(err, &limited) {
		return &transports.Error{Class: transports.Retry, Text: "Discord asks to wait", After: limited.RetryAfter, Unsent: true, Err: err}
	}
	var rest *discordgo.RESTError
	if errors.As(err, &rest) && rest.Response != nil {
		return classifyAnswer(rest, err)
	}
	if errors.Is(err, discordgo.ErrUnauthorized) {
		return transports.Relink("Discord does not accept the token any longer: link again with a new one", err)
	}
	var op *net.OpError
	unsent := errors.As(err, &op) && op.Op == "dial"
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return transports.Later(0, err)
	}
	return &transports.Error{Class: transports.Retry, Text: "Discord cannot be reached", Unsent: unsent, Err: err}
}

func classifyAnswer(rest *discordgo.RESTError, err error) error {
	status := rest.Response.StatusCode
	switch {
	case status == http.StatusUnauthorized:
		return transports.Relink("Discord does not accept the token any longer: link again with a new one", err)
	case status == http.StatusTooManyRequests:
		return &transports.Error{Class: transports.Retry, Text: "Discord asks to wait", After: time.Second, Unsent: true, Err: err}
	case status >= 500 || status == http.StatusRequestTimeout:
		return transports.Later(0, err)
	case code(err) == codeSlowmode:
		return &transports.Error{Class: transports.Retry, Text: "the channel is in slow mode", After: 5 * time.Second, Unsent: true, Err: err}
	}
	if r, ok := refused[code(err)]; ok {
		return transports.Refuse(r[0], r[1], err)
	}
	return transports.Refuse("undefined-condition", fmt.Sprintf("Discord refuses (status %d, code %d)", status, code(err)), err)
}
