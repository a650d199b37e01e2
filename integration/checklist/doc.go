// Package checklist shows line by line that the server does what RFC 6120, RFC 6121 and RFC
// 7622 ask of one that serves clients and components.
//
// lines.txt names the lines. A test anywhere in the module says which of them it proves
// with a comment, "checklist 36" or "checklist 36, 41" behind two slashes, beside the
// function or beside the row of a table in it; a scenario says it in a line of its own that
// begins with #. TABLE.md lists every line with its tests: it is written by
// `go test ./integration/checklist -run TestTable -update`, and TestTable fails when the
// file is not current or a line that is due has no test.
//
// rooms.txt names the use cases of rooms (XEP-0045, and what rooms do beyond it). The scenarios that show them cite the section;
// ROOMS.md lists them, and TestRoomsTable fails when one has none.
//
// The tests here run against the dragoman binary: one process for all of them, with
// accounts and component domains of its own for each test, and further processes where a
// test needs other settings.
package checklist
