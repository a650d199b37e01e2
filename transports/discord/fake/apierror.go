package fake

import (
	"fmt"
	"net/http"
)

// Error is an answer of Discord's API that is no success. Code is one of the JSON error
// codes (topics/opcodes-and-status-codes.mdx).
type Error struct {
	Status  int
	Code    int
	Message string
	fields  obj // the "errors" of code 50035
	retry   float64
}

func (e *Error) Error() string {
	return fmt.Sprintf("HTTP %d, code %d: %s", e.Status, e.Code, e.Message)
}

// refuse makes an error of the three parts that every one has.
func refuse(status, code int, message string) *Error {
	return &Error{Status: status, Code: code, Message: message}
}

func (e *Error) body() obj {
	b := obj{"code": e.Code, "message": e.Message}
	if e.fields != nil {
		b["errors"] = e.fields
	}
	if e.Status == http.StatusTooManyRequests {
		b["retry_after"] = e.retry
		b["global"] = false
	}
	return b
}

// The errors without details. A function each, so that no caller can
// change a shared value.

func errUnauthorized() *Error   { return refuse(401, 0, "401: Unauthorized") }
func errNotFound() *Error       { return refuse(404, 0, "404: Not Found") }
func errMethod() *Error         { return refuse(405, 0, "405: Method Not Allowed") }
func errUnknownChannel() *Error { return refuse(404, 10003, "Unknown Channel") }
func errUnknownGuild() *Error   { return refuse(404, 10004, "Unknown Guild") }
func errUnknownMessage() *Error { return refuse(404, 10008, "Unknown Message") }
func errUnknownEmoji() *Error   { return refuse(400, 10014, "Unknown Emoji") }
func errUnknownWebhook() *Error { return refuse(404, 10015, "Unknown Webhook") }
func errManyWebhooks() *Error   { return refuse(400, 30007, "Maximum number of webhooks reached (15)") }
func errManyReactions() *Error  { return refuse(400, 30010, "Maximum number of reactions reached (20)") }
func errManyGuildHooks() *Error {
	return refuse(400, 30058, "Maximum number of webhooks per guild reached (1000)")
}
func errTooLarge() *Error      { return refuse(413, 40005, "Request entity too large") }
func errForumMessage() *Error  { return refuse(400, 40058, "Cannot send a message in a forum channel") }
func errBlocked() *Error       { return refuse(403, 40333, "internal network error") }
func errMissingAccess() *Error { return refuse(403, 50001, "Missing Access") }
func errNotOnDM() *Error       { return refuse(403, 50003, "Cannot execute action on a DM channel") }
func errOthersMessage() *Error {
	return refuse(403, 50005, "Cannot edit a message authored by another user")
}
func errEmptyMessage() *Error { return refuse(400, 50006, "Cannot send an empty message") }
func errCannotDM() *Error     { return refuse(403, 50007, "Cannot send messages to this user") }
func errNotText() *Error      { return refuse(400, 50008, "Cannot send messages in a non-text channel") }
func errNoPermission() *Error { return refuse(403, 50013, "Missing Permissions") }
func errSystemMessage() *Error {
	return refuse(403, 50021, "Cannot execute action on a system message")
}
func errChannelType() *Error  { return refuse(400, 50024, "Cannot execute action on this channel type") }
func errWebhookToken() *Error { return refuse(401, 50027, "Invalid Webhook Token") }
func errRecipients() *Error   { return refuse(400, 50033, "Invalid Recipient(s)") }
func errAPIVersion() *Error   { return refuse(400, 50041, "Invalid API version") }
func errBadJSON() *Error      { return refuse(400, 50109, "The request body contains invalid JSON.") }
func errArchived() *Error     { return refuse(400, 50083, "Thread is archived") }
func errNoMutualGuild() *Error {
	return refuse(403, 50278, "Cannot send messages to this user due to having no mutual guilds")
}
func errNoHistory() *Error {
	return refuse(403, 160002, "Cannot reply without permission to read message history")
}
func errThreadExists() *Error {
	return refuse(400, 160004, "A thread has already been created for this message")
}
func errThreadLocked() *Error { return refuse(403, 160005, "Thread is locked") }
func errHookNeedsThread() *Error {
	return refuse(400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
}
func errHookBothThreads() *Error {
	return refuse(400, 220002, "Webhooks posted to forum channels cannot have both a thread_name and thread_id")
}
func errHookNoForum() *Error {
	return refuse(400, 220003, "Webhooks can only create threads in forum channels")
}

// invalidForm is code 50035: which field, why in Discord's word for it, and in a sentence.
func invalidForm(field, why, sentence string) *Error {
	e := refuse(http.StatusBadRequest, 50035, "Invalid Form Body")
	e.fields = obj{field: obj{"_errors": []any{obj{"code": why, "message": sentence}}}}
	return e
}

func tooLong(field string, limit int) *Error {
	return invalidForm(field, "BASE_TYPE_BAD_LENGTH", fmt.Sprintf("Must be between 1 and %d in length.", limit))
}

func errUnknownUser() *Error { return refuse(404, 10013, "Unknown User") }
