# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The rows of rows.awk as one page that needs nothing else. What a verdict is stands in words; the
# colours only repeat it.

function escape(text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    gsub(/"/, "\\&quot;", text)
    gsub(/[\001-\010\013-\037\177-\377]/, "?", text)
    return text
}

function show() {
    page_head()
    summary()
    print "<main>"
    section("differences", "Where the systems differ", 1, 0, 1)
    section("nowhere", "Holds nowhere, or expects nothing", 0, 0, 1)
    section("everywhere", "Holds wherever it is stated", 0, 1, 0)
    print "</main>\n</body>\n</html>"
}

function page_head() {
    print "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"
    print "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    print "<title>SSPI conformance record</title>\n<style>"
    print ":root { color-scheme: light dark; --line: #8886; --good: #1a7f37; --bad: #b3261e;"
    print "  --wait: #8a5a00; --dim: #666; }"
    print "@media (prefers-color-scheme: dark) { :root { --good: #5fd38a; --bad: #ff8f85;"
    print "  --wait: #f0b95a; --dim: #aaa; } }"
    print "body { font: 1rem/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1rem 2rem;"
    print "  max-width: 100rem; }"
    print "code, td.seen { font-family: ui-monospace, monospace; font-size: .875rem; }"
    print "table { border-collapse: collapse; width: 100%; margin: .5rem 0 2rem; table-layout: fixed; }"
    print "th, td { border: 1px solid var(--line); padding: .35rem .5rem; text-align: left;"
    print "  vertical-align: top; overflow-wrap: anywhere; }"
    print "thead th { position: sticky; top: 0; background: Canvas; }"
    print "th[scope=row] { font-weight: normal; }"
    print "caption { text-align: left; font-weight: bold; padding: .25rem 0; }"
    print ".source, .text { color: var(--dim); font-size: .875rem; display: block; }"
    print ".good strong { color: var(--good); } .bad strong { color: var(--bad); }"
    print ".wait strong { color: var(--wait); } .none strong { color: var(--dim); font-weight: normal; }"
    print "strong { font-weight: 600; } summary { cursor: pointer; padding: .25rem 0; }"
    print "table.short { width: auto; } table.short td { text-align: right; }"
    print "</style>\n</head>\n<body>\n<header>\n<h1>SSPI conformance record</h1>"
    print "<p>A row is a statement that a test program makes; a column is a system on which it ran."
    print "Under each statement stands who says that Windows behaves so; <q>ours</q> is a choice of"
    print "this project where Windows is silent or its answer is not known.</p>"
}

function summary(c, i, kinds, n) {
    n = split("holds|does not hold|expected not to|holds against expectation|seen|not stated",
              kinds, "|")
    print "<table class=\"short\"><caption>Statements by verdict</caption>"
    printf "<thead><tr><th scope=\"col\">System</th>"
    for (i = 1; i <= n; i++) printf "<th scope=\"col\">%s</th>", kinds[i]
    print "</tr></thead>\n<tbody>"
    for (c = 1; c <= columns; c++) {
        printf "<tr><th scope=\"row\">%s</th>", escape(system_name[c])
        for (i = 1; i <= n; i++) printf "<td>%d</td>", total[c, kinds[i]]
        print "</tr>"
    }
    print "</tbody></table>"
    print "<p>Go to: <a href=\"#differences\">differences</a>,"
    print "<a href=\"#nowhere\">holds nowhere</a>, <a href=\"#everywhere\">the rest</a>.</p></header>"
}

function wanted(r, want_differs, want_holds) {
    return differs[r] == want_differs && (want_differs || holds_everywhere(r) == want_holds)
}

# One table per program; those that need no attention are folded.
function section(id, title, want_differs, want_holds, open, r, n, before) {
    for (r = 1; r <= rows; r++) if (wanted(r, want_differs, want_holds)) n++
    printf "<h2 id=\"%s\">%s (%d)</h2>\n", id, title, n
    before = ""
    for (r = 1; r <= rows; r++) {
        if (!wanted(r, want_differs, want_holds)) continue
        if (program[r] != before) {
            if (before != "") print "</tbody></table></details>"
            table_head(program[r], open)
            before = program[r]
        }
        show_row(r)
    }
    if (before != "") print "</tbody></table></details>"
}

function table_head(name, open, c) {
    printf "<details%s><summary>%s</summary>\n<table><thead><tr>", open ? " open" : "", escape(name)
    printf "<th scope=\"col\">Statement</th>"
    for (c = 1; c <= columns; c++) printf "<th scope=\"col\">%s</th>", escape(system_name[c])
    print "</tr></thead>\n<tbody>"
}

function show_row(r, c, kind, text) {
    printf "<tr><th scope=\"row\"><code>%s</code><span class=\"source\">%s%s</span></th>",
        escape(expected[r]), escape(scene[r]), tag[r] == "" ? "" : ", " escape(tag[r])
    for (c = 1; c <= columns; c++) {
        kind = "good"
        if (verdict[r, c] == "not stated" || verdict[r, c] == "seen") kind = "none"
        else if (verdict[r, c] == "does not hold") kind = "bad"
        else if (verdict[r, c] != "holds") kind = "wait"
        text = escape(shown(r, c))
        gsub(/\n/, "<br>", text)
        printf "<td class=\"%s\"><strong>%s</strong><span class=\"text\">%s</span></td>", kind,
            cell(r, c), text
    }
    print "</tr>"
}
