# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The rows of rows.awk as text.

function show(c, r, n) {
    for (c = 1; c <= columns; c++) {
        printf "%s: %s: %d hold, %d do not, %d expected not to", letter(c), system_name[c],
            total[c, "holds"], total[c, "does not hold"], total[c, "expected not to"]
        if (total[c, "holds against expectation"])
            printf ", %d against expectation", total[c, "holds against expectation"]
        printf ", %d seen, %d not stated\n", total[c, "seen"], total[c, "not stated"]
    }
    list("On these the systems differ", 1, 0)
    list("These hold nowhere, or expect nothing", 0, 0)
    if (all) list("These hold wherever they are stated", 0, 1)
}

function letter(c) {
    return substr("ABCDEFGHIJKLMNOPQRSTUVWXYZ", c, 1)
}

function list(title, want_differs, want_holds, r, c, n, before, where) {
    for (r = 1; r <= rows; r++) {
        if (differs[r] != want_differs || !want_differs && holds_everywhere(r) != want_holds) continue
        if (!n++) printf "\n%s\n", title
        where = program[r] (scene[r] == "" ? "" : " " scene[r])
        if (where != before) printf "\n%s\n", where
        before = where
        printf "    %s%s\n", expected[r], tag[r] == "" ? "" : "    " tag[r]
        for (c = 1; c <= columns; c++) {
            text = shown(r, c)
            gsub(/\n/, "\n          ", text)
            printf "      %s %s%s\n", letter(c), cell(r, c), text == "" ? "" : ": " text
        }
    }
}
