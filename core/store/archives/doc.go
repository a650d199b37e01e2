// Package archives keeps the message archives of the accounts in SQL tables (XEP-0313). It is a part of
// package store, which runs it in its partitions and has the methods that features use.
//
// What is archived is written in two steps. The message is written with the next commit, to the end of
// archive_messages, which is cheap, and then it is safe. What queries go by, archive_entries and
// archive_contacts, belongs to pages of each account: on SQLite those rows are written for thousands of messages at
// once, or as soon as somebody asks (Writer.Refresh). After a restart those that are missing are written first.
//
// A message that two accounts have under one id is kept once. Its position in both archives is the time of its
// arrival in microseconds, or more where that is not behind the last entry; no other order exists.
//
// A Writer belongs to the goroutine of its partition. Everything else is functions on a transaction or on the
// readers. SQL is for both dialects, as the doc of package store says.
package archives
