"""What identifies a patient in a text: names, ID-card and telephone numbers, addresses, dates of birth."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal

from blina.linelist.problems import Said

NAME, ID_CARD, TELEPHONE, LANDLINE, E_MAIL, ADDRESS = "name", "ID card", "telephone", "landline", "e-mail", "address"
HOSPITAL_NUMBER, INSURANCE, BIRTH, FAMILY, PHOTO = "hospital number", "insurance", "birth", "family", "photo"
KINDS = {
    NAME: Said("a person's name", "姓名"),
    ID_CARD: Said("an ID-card number", "身份证件号码"),
    TELEPHONE: Said("a telephone number", "手机或电话号码"),
    LANDLINE: Said("a landline number", "固定电话号码"),
    E_MAIL: Said("an e-mail or messenger address", "电子邮箱或微信号"),
    ADDRESS: Said("a postal address", "住址"),
    HOSPITAL_NUMBER: Said("a hospital number", "住院号或病案号"),
    INSURANCE: Said("an insurance number", "医保号"),
    BIRTH: Said("a full date of birth", "完整出生日期"),
    FAMILY: Said("a relative or guardian", "家长或监护人"),
    PHOTO: Said("a photograph", "照片"),
}

# What headers say: Chinese words as patterns, English ones as phrases in which # is "no", "number" or "id".
CHINESE_HEADERS = {
    NAME: "姓名|名字|曾用名|签[名字](?!日期|时间)",
    ID_CARD: "身份证|证件号|护照",
    TELEPHONE: "手机|电话(?!随访)|联系方式|联系人",
    E_MAIL: "邮箱|电子邮件|微信(?!随访|回访)|qq号",
    ADDRESS: "地址|住址|居住地|邮编|邮政编码",
    HOSPITAL_NUMBER: "(?:住院|病案|门诊|病历|就诊)(?:号|编号)|(?:就诊|诊疗|健康)卡",
    INSURANCE: "(?:医保|社保|医疗保险)(?:卡|号|编号|账号)",
    BIRTH: "出生(?:日期|年月日|日(?!龄)|时间)|^(?:患[者儿])?生日$",  # 发生日期 is onset, 出生日龄 an age
    FAMILY: "^(?:家长|父亲|母亲|父母|监护人|家属)[ ]?[0-9]*$",
    PHOTO: "照片|头像",
}
ENGLISH_HEADERS = {
    NAME: "surname, forename, initials, full name, first name, last name, family name, given name, middle name, "
          "patient name, child name, pt name, subject name, participant name, person name, contact name, mother name, "
          "father name, parent name, guardian name, name of patient, name of the patient, name of child",
    ID_CARD: "id card, identity card, identity #, national id, national identity, citizen id, passport, ssn, "
             "social security",
    TELEPHONE: "(?:tele|cell)?phone(?! visit| follow), mobile, tel, phone #, telephone #, mobile #, tel #, contact #",
    E_MAIL: "email, e mail, email address, wechat, we chat, qq",
    ADDRESS: "address, home address, postcode, postal code, zip, zip code",
    HOSPITAL_NUMBER: "mrn, medical record, medical record #, hospital #, inpatient #, outpatient #, admission #",
    INSURANCE: "insurance #, insurance card, insurance policy",
    BIRTH: "dob, date of birth, birth date, birthday, born on",
    PHOTO: "photo, photograph",
}  # fmt: skip
WHOLE_HEADERS = {NAME: "name", INSURANCE: "insurance", FAMILY: "guardian, parent, mother, father"}
NO_ONSET = "(?<![发再新产派])"  # 发生日期 is onset
TEL_GENE = re.compile(r"\btel (?=aml|abl|etv|runx|jak|pdgf|基因|融合)|(?<=\betv 6 )tel\b")  # ETV6, no telephone
ABOUT_BIRTH = re.compile(rf"出生|{NO_ONSET}生日|\bbirth|\bborn\b|\bdob\b")

# A Chinese name: a common surname, then one to three characters, none of them one that ward words are made of, and
# not a word in itself. What is missing here is a name not seen; a word too many in a column does no harm, for only
# a column whose texts are names by half is refused.
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑谢罗梁宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟"
    "谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施牛樊葛邢安齐"
    "易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞柳甘祝宁尚符舒阮柯纪梅童凌毕季裴霍涂苗谷盛曲翁冉骆蓝游辛靳柴蒙鲍华喻"
    "祁蒲滕屈饶牟艾尤阳穆卓吉缪简车项芦褚娄窦戚岑景党宫费卜晏柏宗瞿桂佟臧闵苟邬卞姬栾隋刁沙荣巫寇桑郎甄丛仲虞敖巩佘"
    "苑迟邝匡張劉陳楊黃趙吳孫馬羅鄭謝許韓馮鄧蕭葉蘇呂盧鍾鐘譚陸範賈韋鄒閆閻龍賀顧龔萬錢嚴莊關歐藍簡連齊喬龐顏"
)
NEVER_GIVEN = (
    "病症炎危癌疗药疹痛栓毒菌胰肝肾肺胃肠脑髓骨血液瘤未不无有否型级度率剂量例组期次后前性热烧咳吐泻便尿压糖酸钾钠钙"
    "胞蛋酶素苷唑霉碱移植输注射针片胶囊用法案种类号位侧部区县市省州镇乡室院数值限低减异疑似确诊断检查出入转归死亡活"
    "失访停换缓感染恶难重轻伤损害肿胀积腹腔膜皮肤眼耳鼻喉口舌牙齿背腰肢手足趾节肌筋神经脏脉管瘀斑点贫溶凝障碍衰竭昏"
    "迷抽搐癫痫颤眩晕盗汗寒战乏差弱瘦胖孕胎产龄岁间色状态况因项他她它或及与且但则从到至由被把将已曾再又也都很较最更"
    "约等每各该此这那哪什么吗呢的了着过来去做办给请让叫说看见听问题总计合比百费额贵价钱账款称范围规标准治疸屑蜡膏慢"
    "急早晚餐班周式务序细醒旧秘怒吸呼麻醉敷族替氏酯胺酮醇氨氮氧氯面身边闭键虑续处要离频浓倍耐察执监护绝乱"
)
ORDINARY_WORDS = (
    "万元 万古 万能 于今 于是 付清 付讫 任一 任丘 任何 任意 何为 何人 何时 何首乌 余下 余可 余均正常 余正常 侯马 "
    "关东 关中 关心 关怀 关爱 关联 凌晨 卓越 吉妥 吉安 吉林 向上 向好 向导 向心 向阳 周一 周三 周二 周五 周六 周内 "
    "周四 周天 周日 周末 唐山 夏令 夏天 孙女 孙子 孟德尔 孟鲁司特 季铵 宁可 宁夏 宁德 宁波 安全 安好 安宁 安定 安庆 "
    "安康 安徽 安慰 安排 安瓿 安装 安阳 安静 宫内 尚佳 尚可 尚好 尤其 尤文 巩固 常人 常在 常德 常春藤 常温 常熟 庞大 "
    "康健 康复 康定 康柏西普 方向 方正 施工 施行 易于 易倦 易发 易激惹 景气 景洪 曲妥珠 曲安奈德 曲线 曲马多 林奇 "
    "柏油 柯萨奇 柳林 柴胡 桂平 桂林 桑椹 欧洲 欧盟 欧米茄 欧美 武威 武汉 段落 毕业 毛发 毛玻璃 江北 江南 江苏 江西 "
    "江门 江阴 汤匙 汤阴 汪清 沈阳 沙星 涂布 温和 温水 温江 温莎 游走 牛奶 牛肉 甘油 甘草 甘露 申报 申明 白发 白城 "
    "白天 白山 白带 白消安 白苔 白银 白陶土 盛行 石家庄 石棉 石英 秦皇岛 程控 穆斯林 窦道 章程 童年 简化 简单 简明 "
    "简易 纪实 纪录 舒尼 舒巴坦 舒张 舒适 艾曲泊帕 艾滋 艾灸 芦可 苏北 苏南 苏打 荣成 荣昌 莫西沙星 蒙古 蒲公英 许可 "
    "许多 许昌 谷丙 谷草 费力 费城 贺电 车祸 迟发 迟钝 郎格汉斯 金刚 金刚烷 金华 金属 金昌 金葡 金黄 陈述 雷公藤 "
    "霍奇金 项下 项目 马上 马利兰 马尾 马鞍山 高三 高三尖 高中 高分 高分子 高原 高峰 高强 高效 高敏 高水平 高清 高白 "
    "高达 鲍曼 黄体 黄冈 黄山 黄石 黄芪 黄连 黄金 齐全 龙岩 龙胆"
)
COMPOUND_SURNAMES = "欧阳|歐陽|司马|司馬|上官|诸葛|諸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|端木|独孤|南宫|申屠"
ORDINARY = frozenset(ORDINARY_WORDS.split())
HAN = "[\u3400-\u9fff〇\U00020000-\U0003134f]"
GIVEN = f"(?![{NEVER_GIVEN}])(?:{HAN}|[*○])"  # * and ○: a name that was blotted out in part
PERSON = f"(?:(?:{COMPOUND_SURNAMES})(?:{GIVEN}){{1,2}}|[{SURNAMES}](?:{GIVEN}){{1,3}})"
PERSON_ALONE = re.compile(f"{PERSON}|{HAN}{{2,8}}[·•‧・]{HAN}{{2,8}}")
PERSON_IN_TEXT = re.compile(
    "(?:患者|患儿|病人|姓名|名叫|父亲|母亲|家长|监护人|联系人|家属)"
    rf"[\s:是为,(]{{0,3}}({PERSON})(?=[\s,。.;、:()男女因系]|$)"
)

# Numbers, with whatever people put between their digits.
GAP = r"[\s\-‐-―−_·.]"
ID_NUMBER = re.compile(rf"(?<!\d)(?=((?:\d{GAP}{{0,3}}){{17}}[\dx])(?!\d))", re.I)
OLD_ID_NUMBER = re.compile(r"(?<![\d.])[1-9]\d{14}(?!\d)")
ROUNDED_ID_NUMBER = re.compile(r"(?<![\d.])[1-9]\d{14}000(?!\d)")  # a spreadsheet keeps 15 digits of a number
WEIGHTS, CHECK_DIGITS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), "10X98765432"  # GB 11643-1999
SIZES = ((11,), (3, 4, 4), (3, 8), (4, 4, 3), (4, 3, 4), (3, 3, 5), (1,) * 11)  # 13-01-2023 120 is no telephone
MOBILE_NUMBER = "|".join(f"{GAP}{{1,3}}".join(rf"\d{{{size}}}" for size in sizes) for sizes in SIZES)
TELEPHONE_NUMBER = re.compile(
    rf"(?<!\d)(?<!\d\.)(?:(?:\+|00)?86{GAP}{{0,3}}|0)?(?=1{GAP}{{0,3}}[3-9])(?:{MOBILE_NUMBER})(?!\d)"
)
LANDLINE_NUMBER = re.compile(
    rf"(?<![\d.])(?:\(?0|\+86{GAP}?)(?:(?:10|2\d)\)?{GAP}{{0,2}}[2-8]\d{{3}}\s?\d{{4}}"
    rf"|[3-9]\d\d\)?{GAP}{{0,2}}[2-8]\d{{2,3}}\s?\d{{4}})(?!\d)"
)
LABELLED_NUMBER = re.compile(
    r"(?:(?:病案|住院|门诊|病历|就诊)(?:号码?|编号)|(?<![a-z])mrn)[\s:#.是为]{0,3}\d{4,}", re.I
)
E_MAIL_ADDRESS = re.compile(r"[\w.+-]@[\w-]+(?:\.[\w-]+)+")
EXPONENT = re.compile(r"\d\.\d{4,}e\+?1?\d", re.I)  # 1.38001e10: a long number as a spreadsheet writes it

# Addresses: a region and a smaller one within it, or a street and a number.
PLACE = "(?:(?![省市区县我外本该病院地的在])[\u3400-\u9fff])"  # a character of a place's name
PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|广西|海南|四川|贵州|云南|西藏"
    "|陕西|甘肃|青海|宁夏|新疆|内蒙古"
)
POSTAL_ADDRESS = re.compile(
    rf"(?:{PLACE}{{2,8}}(?:省|自治区|市|州|盟|区|县|旗)|{PROVINCES})\s?"
    rf"(?:{PLACE}{{2,8}}(?:市|区|县|旗|镇|乡|村|街道|路|街)|{PLACE}县)(?<!农村)(?<!通路)"
    rf"|{PLACE}{{1,8}}(?:路|街|道|巷|弄|胡同|村|小区|社区)(?<!通路)(?<!通道)\s?\d+\s?(?:号|弄|栋|幢|组)(?!方案)"
)

MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
FULL_DATE = (
    r"(?:(?:1[89]|20)\d\d\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d\d)|(?:19|20)\d{6}"
    rf"|\d{{1,2}}[\s-]?{MONTH}[\s,.-]*(?:\d{{4}}|\d\d)|{MONTH}[\s.-]?\d{{1,2}}[\s,.-]+\d{{4}})(?!\d)"
)
DATE = re.compile(rf"(?<!\d){FULL_DATE}", re.I)
SERIAL_DATE = re.compile(r"[1-5]\d{4}(?:\.\d+)?")  # a date as a spreadsheet counts days: 1927 to 2064
BIRTH_IN_TEXT = re.compile(
    rf"(?:出生日期|出生于|{NO_ONSET}生[于日]|birth|born|dob)[\s:是为]*(?:is|on|was)?\s*{FULL_DATE}", re.I
)

# A short text, or one without any of these, holds nothing of the above: most of a long line list is dismissed so.
SHORTEST = len("MRN1234")
SUSPICIOUS = re.compile(r"[^\x00-\x7f]|@|\d(?:\D{0,5}\d){9}|\de\+?\d|birth|born|dob|mrn", re.I)
PLAIN = re.compile("[ -~\u3400-\u9fff]*")  # most texts: nothing in them needs rewriting
UNSEEN = ("Cf", "Cc", "Mn", "Me")  # Unicode categories: zero-width and control characters, marks that sit on others


def kinds(text: str) -> tuple[str, ...]:
    """The kinds of identifying things that a text shows, wherever it stands."""
    if (text.isascii() and len(text) < SHORTEST and "@" not in text) or not SUSPICIOUS.search(text):
        return ()
    text = _plain(text)
    shown = {
        ID_CARD: _has_id_number(text),
        TELEPHONE: TELEPHONE_NUMBER.search(text),
        LANDLINE: LANDLINE_NUMBER.search(text),
        E_MAIL: E_MAIL_ADDRESS.search(text),
        ADDRESS: POSTAL_ADDRESS.search(text),
        HOSPITAL_NUMBER: LABELLED_NUMBER.search(text),
        BIRTH: BIRTH_IN_TEXT.search(text),
        NAME: any(person[1] not in ORDINARY for person in PERSON_IN_TEXT.finditer(text)),
    }
    return tuple(kind for kind, found in shown.items() if found)


def is_name(text: str) -> bool:
    """Whether a text may be a Chinese name, by itself or before a number or a bracket."""
    if text.isascii():
        return False
    text = _plain(text).strip()
    pieces = {re.sub(r"\s", "", text), re.split(r"[\s\d(,/、:-]", text, maxsplit=1)[0]}
    return any(piece not in ORDINARY and PERSON_ALONE.fullmatch(piece) for piece in pieces)


def is_full_date(text: str) -> bool:
    """Whether a text holds a day of a month of a year, or is the number by which a spreadsheet holds one."""
    text = _plain(text).strip()
    return bool(DATE.search(text) or SERIAL_DATE.fullmatch(text))


def named(header: str) -> str | None:
    """The kind of identifying thing that a header names, if any."""
    words = TEL_GENE.sub("", _words(header))
    return next((kind for kind, pattern in _HEADERS.items() if pattern.search(words)), None)


def about_birth(header: str) -> bool:
    """Whether a header speaks of birth, so that a full date below it is a date of birth."""
    return bool(ABOUT_BIRTH.search(_words(header)))


def _plain(text: str) -> str:
    """The text without what could hide a number: full-width and other digits, zero-width characters, exponents."""
    if not PLAIN.fullmatch(text):
        text = unicodedata.normalize("NFKC", text)
        text = "".join(char for char in text if char.isspace() or unicodedata.category(char) not in UNSEEN)
        text = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)
    return EXPONENT.sub(lambda number: f"{Decimal(number[0]):f}", text)


def _has_id_number(text: str) -> bool:
    """Whether an ID-card number stands in a text: a date of birth within, and its check digit where it has one."""
    for found in ID_NUMBER.finditer(text):
        number = re.sub(r"[^\dX]", "", found[1].upper())
        total = sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=False))
        if CHECK_DIGITS[total % 11] == number[17] and _is_day(number[6:14]):
            return True
    return any(_is_day(found[0][6:14]) for found in ROUNDED_ID_NUMBER.finditer(text)) or any(
        _is_day("19" + found[0][6:12]) for found in OLD_ID_NUMBER.finditer(text)
    )


def _is_day(digits: str) -> bool:
    """Whether eight digits are a day of the years in which patients were born."""
    with suppress(ValueError):
        return 1900 <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year < 2100
    return False


def _words(header: str) -> str:
    """A header in lower case, its words apart: PatientName, patient_name and Patient's name are all patient name."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", _plain(header)).lower()
    text = re.sub(r"['’]s(?![a-z])", "", text)
    text = re.sub(r"(?<=[a-z])(?=[^a-z])|(?<=[^a-z])(?=[a-z])", " ", text)
    text = re.sub(r"[\W_]+", " ", text).strip()
    return re.sub(rf"(?<={HAN}) (?={HAN})", "", text)


def _header_patterns() -> Iterator[tuple[str, re.Pattern]]:
    def phrases(written: str) -> str:
        number = "(?:no|nr|number|num|id)"
        return "|".join(phrase.replace("#", number).replace(" ", " ?") for phrase in written.split(", "))

    for kind in KINDS:
        parts = [CHINESE_HEADERS[kind]] if kind in CHINESE_HEADERS else []
        parts += [rf"\b(?:{phrases(ENGLISH_HEADERS[kind])})s?\b"] if kind in ENGLISH_HEADERS else []
        parts += [rf"^(?:{phrases(WHOLE_HEADERS[kind])})s?(?: \d+)?$"] if kind in WHOLE_HEADERS else []
        if parts:
            yield kind, re.compile("|".join(parts))


_HEADERS = dict(_header_patterns())
