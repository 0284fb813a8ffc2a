"""Published cohorts: the table, what may stand beside a cohort, what may be pooled, and what is left out, and why."""

import csv
import io

import pandas as pd
import pytest
import tables

from blina.analysis.context import (
    COLUMNS,
    COMPARISONS,
    NOT_STATED,
    OUTCOMES,
    PUBLISHED,
    UNDEFINED,
    comparable,
    comparison,
    load_published,
    of_others,
    overlap,
    pools,
    rate_now,
    sensitivity,
    sharing,
    side_by_side,
)
from blina.analysis.pooling import pool
from blina.analysis.study import open_study
from blina.measures.intervals import clopper_pearson
from blina.yamlfile import FileError


@pytest.fixture(scope="module")
def published():
    return load_published()


@pytest.fixture(scope="module")
def tianjin():
    return open_study("tianjin2023")


@pytest.fixture(scope="module")
def own(tianjin):
    """The report's rates, open ones as bounds."""
    return tianjin.rates().table


@pytest.fixture(scope="module")
def hospital(tianjin):
    """A cohort of its own: two groups with other names, no report."""
    groups = [tianjin.cohort.group(name) for name in ("MC", "RR")]
    renamed = [group.model_copy(update={"name": name}) for group, name in zip(groups, ("early", "late"), strict=True)]
    return tianjin.cohort.model_copy(update={"doi": None, "reconstructed": False, "groups": tuple(renamed)})


# The table


def test_the_rows_of_the_report_are_what_its_line_list_gives_and_its_claims_determine(published, tianjin, own):
    rows = published[published["study_id"] == "li2023_ash"].set_index(["comparable_group", "outcome"])

    def printed(group, outcome):
        return int(rows.loc[(group, outcome), "events"]), int(rows.loc[(group, outcome), "denominator"])

    def found(table, **where):
        row = table[(table[[*where]] == pd.Series(where)).all(axis=1)].iloc[0]
        assert not row["open"]
        return row

    def rate_of(group, rule, measure="negative after"):
        row = found(own, group=group, rule=rule, evaluable_set="all_treated", measure=measure)
        return row["k"], row["n"]

    assert printed("MC", "mrd_neg_fc_and_pcr") == rate_of("MC", "fc_and_pcr") == (13, 18)
    assert printed("MC", "mrd_neg_fc") == rate_of("MC", "fc") == (18, 18)
    assert printed("RR", "mrd_neg_fc") == rate_of("RR", "fc") == (4, 7)
    assert printed("RR", "mrd_neg_fc_and_pcr") == rate_of("RR", "fc_and_pcr") == (3, 7)
    assert printed("IC", "mrd_neg_maintained") == rate_of("IC", "fc", "stayed negative") == (3, 3)
    assert printed("MC_BCRABL1", "mrd_neg_pcr") == rate_of("MC", "pcr") == (1, 6)
    assert printed("RR_BCRABL1", "mrd_neg_pcr") == rate_of("RR", "pcr") == (0, 1)
    contrast = tianjin.fusion().table
    carriers, others = (found(contrast, group="MC", rule=rule) for rule in ("fc", "fc_and_pcr"))
    assert printed("MC_BCRABL1", "mrd_neg_fc") == (carriers["carriers_k"], carriers["carriers_n"])
    assert printed("MC_nonBCRABL1", "mrd_neg_fc_and_pcr") == (others["others_k"], others["others_n"])
    fever = tianjin.fever().table
    assert printed("MC", "fever_cycle1") == tuple(found(fever, group="MC")[["k", "n"]])
    assert printed("ALL", "bcr_abl1_positive") == (tianjin.patients["bcr_abl1"].sum(), len(tianjin.patients))


def test_every_outcome_that_is_compared_has_words_and_every_word_is_of_an_outcome(published):
    compared = {outcome for one in COMPARISONS for outcome in one.outcomes}
    assert compared <= set(OUTCOMES)
    assert set(OUTCOMES) <= set(published["outcome"])
    assert all(set(one.same) <= set(one.outcomes) for one in COMPARISONS)
    assert set(UNDEFINED) <= set(published["outcome"]) and not compared & set(UNDEFINED)


def test_the_time_of_response_is_as_stated_and_only_responses_have_one(published):
    stated = published[~published["time"].isin(["", NOT_STATED])]
    assert {*zip(stated["study_id"], stated["time"], strict=True)} == {
        ("brown2021_jama", "after cycle 1"), ("gokbuget2018_blast", "after cycle 1"), ("schlegel2014", "after cycle 1"),
        ("rialto2022", "within 2 cycles"), ("jspho2023", "after cycle 2"), ("jh2132", "before transplantation"),
    }  # fmt: skip
    no_response = published["outcome"].str.contains("crs|fever|neuro|icans|size|hsct|baseline")
    assert published.loc[no_response, "time"].eq("").all()


def test_a_report_may_share_patients_with_several_others(published):
    row = published[published["study_id"] == "cam4_71159_2025"].iloc[0]
    assert row["overlaps"].split() == ["xie2023_fped", "zhang2025_fimmu", "li2023_ash"]


def written(tmp_path, change):
    """The shipped table after `change` to its rows (lists of cells by column, the header left out)."""
    rows = list(csv.DictReader(io.StringIO(PUBLISHED.read_text(encoding="utf-8"))))
    change(rows)
    path = tmp_path / "cohorts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


BROKEN = {
    "events": ("19", "events", "events-within"),
    "denominator": ("280", "denominator", "patients-within"),
    "doi": ("https://doi.org/10.1182/blood", "doi", "doi-form"),
    "doi_seen": ("maybe", "doi_seen", "doi_seen-word"),
    "year": ("'23", "year", "year-form"),
    "n": ("many", "n", "n-form"),
    "unit": ("people", "unit", "unit-word"),
    "count_basis": ("derived", "note", "basis-explained"),
    "overlaps": ("sutton2021 nobody2020", "overlaps", "overlap-known"),
    "time": ("", "time", "response-has-time"),
    "overlap_kind": ("possible", "overlap_kind", "overlap-kind"),
    "label": ("Lee 2023", "study_id", "study-agrees"),
}


@pytest.mark.parametrize("changed", BROKEN)
def test_a_broken_rule_is_one_line_with_row_column_and_rule(tmp_path, changed):
    value, column, rule = BROKEN[changed]

    def change(rows):
        rows[0] |= {changed: value, "note": ""}

    with pytest.raises(FileError) as caught:
        load_published(written(tmp_path, change))
    lines = str(caught.value).splitlines()
    assert [line for line in lines if line.startswith(f"cohorts.csv: row 2, column {column}: ")
            and line.endswith(f" [{rule}]")]  # fmt: skip
    assert all(line.startswith("cohorts.csv: row 2, ") for line in lines)


def test_a_blank_count_says_that_none_is_printed_and_no_row_stands_twice(tmp_path):
    def blank(rows):
        rows[0]["events"] = ""

    def twice(rows):
        rows.append(rows[3])

    with pytest.raises(FileError, match=r"^cohorts.csv: row 2, column events: .*\[events-when-printed\]$"):
        load_published(written(tmp_path, blank))
    with pytest.raises(FileError, match=r"^cohorts.csv: row 113, column outcome: .*\[one-row-each\]$"):
        load_published(written(tmp_path, twice))


def test_a_table_with_other_columns_or_loose_commas_is_refused_in_one_line(tmp_path):
    path = tmp_path / "cohorts.csv"
    path.write_text("study_id,year\nbrown2021,2021\n")
    with pytest.raises(FileError, match=r"^cohorts.csv: row 1: the columns must be study_id, label, .*$"):
        load_published(path)
    path.write_text(f"{','.join(COLUMNS)}\n{',' * len(COLUMNS)}\n")
    with pytest.raises(FileError, match=r"^cohorts.csv: row 2 has 25 cells, not 24: .*quotation marks$"):
        load_published(path)


# What is comparable


def test_every_row_of_another_report_is_kept_or_left_out_for_one_reason(published, tianjin):
    others = of_others(published, tianjin.cohort)
    assert set(published["study_id"]) - set(others["study_id"]) == {"li2023_ash"}
    for choices in ({}, {"include_adults": True, "include_selected": True}, {"include_derived": False}):
        chosen = comparable(published, tianjin.cohort, **choices)
        assert len(chosen.kept) + len(chosen.left_out) == len(others)
        assert chosen.reasons()["rows"].sum() == len(chosen.left_out)
        keys = ["study_id", "group_as_published", "outcome"]
        assert not chosen.kept.merge(chosen.left_out, on=keys).size


def test_what_is_kept_is_of_children_counted_in_patients_defined_and_not_chosen_by_outcome(published, tianjin):
    kept = comparable(published, tianjin.cohort).kept
    assert set(kept["population"]) == {"children"} and set(kept["unit"]) == {"patients"}
    assert not kept["selected"].any() and kept["events"].notna().all()
    assert set(kept["counted"]) <= {"all_treated", "evaluable", "responders"}
    assert set(kept.loc[kept["counted"] == "responders", "comparison"]) == {"responders"}


def test_an_outcome_that_its_report_does_not_define_answers_no_question(published, tianjin):
    left_out = comparable(published, tianjin.cohort, include_overlap=True).left_out
    undefined = left_out[left_out["reason"] == "outcome not defined"]
    assert set(undefined["label"]) == {"Zhang 2025", "Sutton 2021", "Queudeville 2021"}


def test_the_first_paediatric_trial_is_shown_though_nobody_confirmed_its_doi(published, tianjin, own):
    side = side_by_side(comparable(published, tianjin.cohort), own, tianjin.cohort)
    rows = side[side["study"].str.startswith("von Stackelberg")]
    assert [*zip(rows["comparison"], rows["k"], rows["n"], rows["marks"], strict=True)] == [
        ("reinduction", 14, 70, "DOI not confirmed"), ("remission", 27, 70, "DOI not confirmed"),
        ("responders", 10, 23, "DOI not confirmed"),
    ]  # fmt: skip
    confirmed = comparable(published, tianjin.cohort, include_unconfirmed_dois=False)
    assert confirmed.kept["doi_seen"].all()
    assert "its DOI is not confirmed" in set(confirmed.left_out["reason"])


@pytest.mark.parametrize(
    "choice, admitted, column, value",
    [
        ({"include_adults": True}, "gokbuget2018_blast", "population", "adults"),
        ({"include_selected": True}, "zhou2022_3cases", "selected", True),
        ({"include_overlap": True}, "li2023_cjcp", "shares_patients", True),
    ],
)
def test_each_filter_lets_in_what_it_names_and_marks_it(published, tianjin, own, choice, admitted, column, value):
    plain, wider = comparable(published, tianjin.cohort), comparable(published, tianjin.cohort, **choice)
    assert admitted not in set(plain.kept["study_id"])
    rows = wider.kept[wider.kept["study_id"] == admitted]
    assert len(rows) and rows[column].eq(value).all()
    side = side_by_side(wider, own, tianjin.cohort)
    marks = side.loc[side["study"].str.startswith(rows["label"].iloc[0]), "marks"]
    words = {"population": "adults", "selected": "selected", "shares_patients": "may share patients"}
    assert marks.str.contains(words[column]).all()


def test_derived_counts_can_be_left_out(published, tianjin):
    kept = comparable(published, tianjin.cohort, include_derived=False).kept
    assert len(kept) and set(kept["count_basis"]) == {"printed"}


def test_an_earlier_report_of_its_patients_does_not_stand_beside_it_and_one_that_may_share_some_is_marked(
        published, tianjin, own):  # fmt: skip
    chosen = comparable(published, tianjin.cohort)
    assert not {"li2023_cjcp", "blin14d"} & set(chosen.kept["study_id"])
    assert set(chosen.kept.loc[chosen.kept["shares_patients"], "study_id"]) == {"cam4_71159_2025"}
    side = side_by_side(chosen, own, tianjin.cohort)
    marked = side["marks"].str.contains("may share patients")
    assert marked.equals(side["study"].eq("Cancer Med 2025, China"))


def test_to_a_hospital_the_report_is_one_of_the_published(published, hospital):
    kept = comparable(published, hospital).kept.query("study_id == 'li2023_ash'")
    assert {*zip(kept["comparison"], kept["events"], kept["denominator"], strict=True)} == {
        ("clearance", 18, 18), ("clearance", 13, 18), ("molecular", 1, 6), ("reinduction", 4, 7), ("reinduction", 3, 7),
    }  # fmt: skip


def test_no_patient_stands_twice_in_a_comparison_by_one_rule(published, tianjin, hospital):
    for cohort in (tianjin.cohort, hospital):
        kept = comparable(published, cohort, include_adults=True, include_unconfirmed_dois=True).kept
        for _, rows in kept.groupby("comparison"):
            surely = rows[rows["overlap_kind"] != "possible"]
            assert not surely["overlaps"].isin(rows["study_id"]).any()
            assert not rows.assign(both=rows["outcome"] == "mrd_neg_fc_and_pcr").duplicated(["study_id", "both"]).any()
        assert "ppr938034_preprint" not in set(kept["study_id"])  # its publication is in the table


def test_of_two_reports_of_one_hospital_each_stands_where_the_other_has_no_rate(published, tianjin):
    kept = comparable(published, tianjin.cohort).kept.set_index("comparison")
    assert set(kept.loc["remission", "study_id"]) & {"xie2023_fped", "xie2023_cjacp"} == {"xie2023_fped"}
    assert set(kept.loc["reinduction", "study_id"]) & {"xie2023_fped", "xie2023_cjacp"} == {"xie2023_cjacp"}


def test_first_and_later_remission_stand_apart(published, tianjin):
    kept = comparable(published, tianjin.cohort, include_adults=True, include_unconfirmed_dois=True).kept
    by = kept.groupby("comparison")["remission"].agg(set)
    assert by["later"] == {"later"}
    assert "later" not in by["clearance"] | by["molecular"]
    assert by["reinduction"] == by["remission"] == {"relapsed_refractory"}


# Side by side


def test_the_rates_of_the_report_come_first_with_the_rule_of_what_they_stand_beside(published, tianjin, own):
    side = side_by_side(comparable(published, tianjin.cohort), own, tianjin.cohort)
    mine = side[side["own"]]
    assert [*zip(mine["comparison"], mine["group"], mine["how"], strict=True)] == [
        ("clearance", "MC", "FC"), ("clearance", "MC", "FC and RT-PCR"), ("molecular", "MC", "RT-PCR"),
        ("maintained", "IC", "FC"), ("reinduction", "RR", "FC"), ("reinduction", "RR", "FC and RT-PCR"),
    ]  # fmt: skip
    for _, rows in side.groupby("comparison"):
        assert rows["own"].tolist() == sorted(rows["own"], reverse=True)
    assert [*dict.fromkeys(side["comparison"])] == [one.id for one in COMPARISONS if one.id in set(side["comparison"])]


def test_who_had_nothing_to_clear_is_in_no_rate_of_clearance_of_the_report(published, tianjin, own):
    side = side_by_side(comparable(published, tianjin.cohort), own, tianjin.cohort).query("own")
    # Two or three of the 18 were negative by FC before, and at most one of the 6 carriers by RT-PCR.
    assert [*zip(side["text"], side["marks"], strict=True)] == [
        ("open, 15/15 or 16/16", "of those positive before by FC"),
        ("13/18 (72.2%, 46.5 to 90.3)", "of those positive before by FC or RT-PCR"),
        ("open, 0 to 1, among 5 to 6 (0 to 16.7%)", "of those positive before by RT-PCR"),
        ("3/3 (100%, 29.2 to 100)", ""), ("4/7 (57.1%, 18.4 to 90.1)", ""), ("3/7 (42.9%, 9.9 to 81.6)", ""),
    ]  # fmt: skip


def test_a_published_rate_says_how_many_were_negative_before_where_its_report_does(published, tianjin, own):
    side = side_by_side(comparable(published, tianjin.cohort), own, tianjin.cohort)
    marked = side[side["marks"].str.contains("negative before")]
    assert [*zip(marked["study"], marked["k"], marked["n"], marked["marks"], strict=True)] == [
        ("Brown 2021, international (COG)", 79, 105, "26 of 105 negative before")
    ]


def test_an_assay_belongs_to_mrd_and_a_time_to_the_outcome(published, tianjin, own):
    side = side_by_side(comparable(published, tianjin.cohort), own, tianjin.cohort).query("not own")
    assert (side["how"] == "").equals(side["comparison"] == "remission")
    rialto = side[side["study"].str.startswith("RIALTO")].iloc[0]
    assert (rialto["outcome"], rialto["whom"]) == ("CR within 2 cycles", "R/R (88% >=5% blasts)")


def test_published_rates_have_exact_intervals_and_say_what_was_counted(published, tianjin, own):
    chosen = comparable(published, tianjin.cohort)
    side = side_by_side(chosen, own, tianjin.cohort).query("not own")
    assert len(side) == len(chosen.kept)
    for row in side.itertuples():
        lower, upper = clopper_pearson(row.k, row.n)
        assert (row.percent, row.lower, row.upper) == pytest.approx((100 * row.k / row.n, 100 * lower, 100 * upper))
        assert row.outcome and row.doi.startswith("10.")
    assert side.loc[side["comparison"] == "clearance", "marks"].str.startswith("remission not stated").all()


def test_groups_are_matched_by_purpose_whatever_their_names(published, hospital, tianjin):
    renamed = {"MC": "early", "RR": "late"}
    lines = [line for line in tables.lines_of(tianjin) if line["group"] != "IC"]
    table = tables.make([line | {"group": renamed[line["group"]]} for line in lines], hospital).rates().table
    chosen = comparable(published, hospital)
    side = side_by_side(chosen, table, hospital)
    assert set(side.loc[side["own"], "study"]) == {"this cohort, early", "this cohort, late"}
    assert "maintained" not in set(side["comparison"])
    aimless = tuple(group.model_copy(update={"purpose": None}) for group in hospital.groups)
    without = hospital.model_copy(update={"groups": aimless})
    nothing = comparable(published, without)
    assert nothing.kept.empty and side_by_side(nothing, table, without).empty


# Pooling


@pytest.fixture
def poolable(published):
    """An invented table: three reports of complete remission after cycle 1, in other countries, and one of later."""
    rows = published[published["study_id"].eq("schlegel2014") & published["outcome"].eq("cr")]
    counts = {"Alpha": (6, 13), "Beta": (9, 11), "Gamma": (26, 33), "Delta": (44, 58)}
    invented = [rows.assign(study_id=name.lower(), label=name, country=f"{name}land", events=k, denominator=n, n=n)
                for name, (k, n) in counts.items()]  # fmt: skip
    table = pd.concat(invented, ignore_index=True)
    return table.astype({"events": "Int64"}).assign(time=["after cycle 1"] * 3 + [NOT_STATED])


def why_not(table, id="remission"):
    return table.set_index("comparison").loc[id, "why"].split("; ")


def test_nothing_that_is_published_can_be_pooled_and_every_comparison_says_why(published, tianjin):
    table = pools(comparable(published, tianjin.cohort))
    assert [*table["comparison"]] == [one.id for one in COMPARISONS]
    assert not table["pooled"].any() and table["percent"].isna().all()
    assert all("at least 3 are needed" in why for why in table["why"])
    assert why_not(table) == [
        "2 eligible (within 2 cycles, after cycle 1)", "at least 3 are needed, all of one time of response",
        "time of response not stated: Zhang 2025, Cancer Med 2025, Xie 2023 (FPed), Beneduce 2022, "
        "von Stackelberg 2016",
        "may share patients with this report: Cancer Med 2025",
        "may share patients with Zhang 2025 and Xie 2023 (FPed): Cancer Med 2025",
    ]  # fmt: skip
    assert "remission not stated: Cancer Med 2025" in why_not(table, "clearance")
    assert "another outcome (CR and MRD negative): Xie 2023 (CJACP)" in why_not(table, "reinduction")
    assert "evaluable patients only: JSPHO 2023" in why_not(table, "reinduction")


def test_an_invented_table_of_eligible_rows_is_pooled_with_its_intervals(poolable, hospital):
    row = pools(comparable(poolable, hospital)).set_index("comparison").loc["remission"]
    expected = pool([6, 9, 26], [13, 11, 33])
    assert row["pooled"] and (row["studies"], row["eligible"]) == (4, 3)
    assert row["why"] == "time of response not stated: Delta" and row["time"] == "after cycle 1"
    assert (row["percent"], row["lower"], row["tau"]) == pytest.approx((expected.percent, expected.lower, expected.tau))
    assert row["predicted_lower"] < row["lower"] < row["percent"] < row["upper"] < row["predicted_upper"]
    assert row["text"] == f"{expected.percent:.1f}% ({expected.lower:.1f} to {expected.upper:.1f})"
    assert "too wide" in row["predicted"] and "country: Alphaland, Betaland, Gammaland" in row["differs"]


@pytest.mark.parametrize(
    "column, value, reason",
    [
        ("time", "within 2 cycles", "at least 3 are needed, all of one time of response"),
        ("overlaps", "beta alpha", "may share patients with Alpha and Beta: Gamma"),
        ("counted", "evaluable", "evaluable patients only: Gamma"),
        ("population", "adults", "adults: Gamma"),
        ("selected", True, "patients chosen by their outcome: Gamma"),
        ("remission", "any", "first and later remission: Gamma"),
    ],
)
def test_one_difference_keeps_a_study_out_and_two_studies_are_no_pool(poolable, hospital, column, value, reason):
    poolable.loc[2, column] = value
    if column == "overlaps":
        poolable.loc[2, "overlap_kind"] = "possible"
    table = pools(comparable(poolable, hospital, include_adults=True, include_selected=True))
    assert not table["pooled"].any() and reason in why_not(table)


def test_what_may_share_patients_with_the_report_is_never_pooled(poolable, published, tianjin):
    report = published[published["study_id"] == "li2023_ash"]
    assert pools(comparable(pd.concat([report, poolable]), tianjin.cohort))["pooled"].any()
    poolable.loc[2, ["overlaps", "overlap_kind"]] = ["li2023_ash", "earlier_report"]
    table = pools(comparable(pd.concat([report, poolable]), tianjin.cohort, include_overlap=True))
    assert not table["pooled"].any() and "may share patients with this report: Gamma" in why_not(table)


def test_a_pool_of_everybody_has_no_tau(poolable, hospital):
    everybody = poolable.assign(events=poolable["denominator"].astype("Int64"))
    row = pools(comparable(everybody, hospital)).set_index("comparison").loc["remission"]
    assert row["pooled"] and pd.isna(row["tau"]) and row["upper"] == 100
    assert "exact interval of all together" in row["predicted"]


def test_the_choice_of_rows_is_turned_round_one_at_a_time(poolable, published, hospital):
    assert sensitivity(published, hospital).empty
    poolable.loc[0, "count_basis"] = "back_calculated"
    table = sensitivity(poolable, hospital).set_index("choice")
    assert set(table["comparison"]) == {"remission"}
    assert table["eligible"].to_dict() == {"as chosen": 3, "confirmed DOIs only": 3, "printed counts only": 2}
    assert table.loc["printed counts only", "text"] == "not pooled"
    other = sensitivity(poolable, hospital, include_unconfirmed_dois=False, include_derived=False)
    assert [*zip(other["choice"], other["eligible"], strict=True)] == [
        ("as chosen", 2), ("unconfirmed DOIs too", 2), ("derived and back-calculated counts too", 3),
    ]  # fmt: skip


# Other reports of the same patients


def test_the_earlier_report_of_the_centre_cannot_have_used_fc_alone(published, tianjin):
    table = overlap(published, tianjin.cohort)
    earlier = table[table["study"] == "Li 2023 (CJCP)"].set_index(["outcome", "here"])
    fc, strict = (earlier.loc[("MRD negative", f"MRD negative by {rule}")] for rule in ("FC", "FC and RT-PCR"))
    # Six of seven children, four of them FC negative: at least three of the six are, but the earlier report has two.
    assert (fc["text"], fc["here_text"], fc["among_them"], fc["fits"]) == ("2/6", "4/7", "3 to 4", "no")
    assert (strict["among_them"], strict["fits"]) == ("2 to 3", "yes")
    assert set(earlier.index[earlier["here_text"] == ""].get_level_values(0)) == {
        "CR", "CRS of grade 3 or more", "went on to transplantation",
    }  # fmt: skip
    assert table.iloc[-1]["text"] == "not printed"


def test_a_larger_report_may_share_patients_but_cannot_be_checked_against_this_one(published, tianjin):
    assert {*sharing(published, tianjin.cohort)["label"]} - {*overlap(published, tianjin.cohort)["study"]} == {
        "Cancer Med 2025"
    }


def test_a_hospital_has_no_other_report(published, hospital):
    assert overlap(published, hospital).empty and sharing(published, hospital).empty


def test_a_comparison_is_found_by_its_id():
    assert comparison("later").remission == "later"
    with pytest.raises(KeyError):
        comparison("unknown")


# A cohort in which a rate is no response


PREFIX = {"FC": "fc", "RT-PCR": "pcr"}


def all_as(tianjin, group, time, assay, status):
    """The rates of the rows as a hospital's own, all of a group with one status at one time by one assay."""
    column = f"{PREFIX[assay]}_{time}"
    lines = tables.lines_of(tianjin)
    for line in lines:
        if line["group"] == group and line[column] != "not_applicable":
            line[column] = status
    cohort = tianjin.cohort.model_copy(update={"doi": None, "reconstructed": False})
    return tables.make(lines, cohort).rates().table, cohort


def rules_beside(published, own, cohort, group):
    side = side_by_side(comparable(published, cohort), own, cohort)
    return [*side.loc[side["own"] & side["group"].eq(group), "how"]]


def test_what_was_assessed_in_nobody_stands_beside_nothing(published, tianjin):
    assert rules_beside(published, *all_as(tianjin, "MC", "after", "RT-PCR", "not_done"), "MC") == ["FC"]
    assert "FC" not in rules_beside(published, *all_as(tianjin, "RR", "after", "FC", "not_done"), "RR")


def test_where_nobody_was_positive_before_nothing_stands_beside_published_rates(published, tianjin):
    assert rules_beside(published, *all_as(tianjin, "RR", "before", "FC", "negative"), "RR") == ["FC and RT-PCR"]


def test_a_next_study_starts_from_the_first_rate_of_clearance_or_else_of_response(tianjin, own):
    assert rate_now(own, tianjin.cohort)[0] == 72.2
    assert rate_now(*all_as(tianjin, "MC", "after", "RT-PCR", "not_done"))[0] == 100
    only = tianjin.only("IC")
    assert rate_now(only.rates("IC").table, only.cohort) is None
